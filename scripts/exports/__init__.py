"""Export of songs to MIDI and MusicXML."""
