"""Shared basics: errors, paths, settings, file access, child processes."""
