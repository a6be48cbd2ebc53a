"""Arrangement of a lead sheet into tracks: form, accompaniment, drums and variation."""
