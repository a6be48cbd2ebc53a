"""Jukebox without a user interface: player, play queue and saved session."""
