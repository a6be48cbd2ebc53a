"""Production of a song's files from its recipe: render, encode, tag, name."""
