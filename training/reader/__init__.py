"""Builds ``models/reader.gguf``: multilingual-e5-small with a pruned vocabulary."""
