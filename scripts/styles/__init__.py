"""Styles as data: reading, blending, and finding the ones a person means."""
