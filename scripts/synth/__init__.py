"""Turns an arrangement into audio: instruments, effects and the mix, in blocks."""
