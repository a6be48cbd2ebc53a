"""Lyrics that genres are learned from, and the classifier of genres."""
