"""Controllers: apply the keys of each screen to the state."""
