"""``launcher.py bench``: benchmarks of speed and memory."""
