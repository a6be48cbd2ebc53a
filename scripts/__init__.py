"""The program. Nothing heavy is imported here: the installer passes through too."""

import os

__version__ = "0.2.0"

# Before NumPy is loaded: its small products are quickest, and the same to the bit, on one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
