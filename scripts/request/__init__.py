"""What the user asked for, and the song specification that follows from it."""
