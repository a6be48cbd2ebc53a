"""Light that moves with the music."""
