"""Song requests, and the song specifications derived from them."""
