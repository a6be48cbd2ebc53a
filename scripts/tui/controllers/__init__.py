"""What the keys of each screen do to the state."""
