"""WAV, MP3, tags, and the devices that play them."""
