"""From a recipe to a song's files: render, encode, tag, name."""
