"""Listens to the program's songs with instruments: tempo and key trackers, spectra, metrics."""
