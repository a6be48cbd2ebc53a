"""The commands of ``launcher.py``."""
