"""Turns an arrangement into audio: instruments, effects and the mix, in blocks."""

RATE = 44_100
BINAURAL = "binaural"  # the name of the stem with tones for the two ears
