"""Executors that render songs: in a thread, in other processes or on a Dask cluster."""
