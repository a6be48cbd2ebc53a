"""Each screen as a pure function: (state, size) to lines."""
