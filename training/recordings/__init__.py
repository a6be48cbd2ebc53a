"""Cuts the recorded instruments of ``data/instruments/recordings`` from their sources."""
