"""Musical styles: reading, blending and looking up by the words a user types."""
