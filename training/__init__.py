"""Trains the starter model. Needs the ``training`` extra; nothing in ``scripts`` imports it."""
