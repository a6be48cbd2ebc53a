"""Lead sheets composed from a song specification by a language model and a critic."""
