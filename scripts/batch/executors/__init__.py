"""Where songs are rendered: a thread of this process, other processes, or a Dask cluster."""
