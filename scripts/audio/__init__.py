"""Audio files (WAV, MP3, OGG, FLAC), their tags, and playback to sound devices."""
