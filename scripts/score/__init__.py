"""Music notation: keys, time signatures, chords, lead sheets; ABC, MIDI and MusicXML."""
