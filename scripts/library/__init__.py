"""Song library: files on disk, which are authoritative, and an index of them."""
