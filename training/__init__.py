"""Training of the starter model. Needs the ``training`` extra; ``scripts`` never imports it."""
