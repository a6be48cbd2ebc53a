"""Notation: keys, metres, chords, lead sheets, and ABC in and out."""
