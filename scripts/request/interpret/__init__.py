"""Understands a request in free words: a sentence becomes a song request."""
