"""The looping jukebox: what is played next, and the player. No screen."""
