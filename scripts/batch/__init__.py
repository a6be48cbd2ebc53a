"""Orders of songs: kept, composed, played to files, one after the other or side by side."""
