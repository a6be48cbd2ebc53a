"""Analysis of generated songs: tempo and key tracking, spectra and metrics of the notes."""
