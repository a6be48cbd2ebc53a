"""Songs on disk. The files are the truth."""
