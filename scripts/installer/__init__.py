"""Makes the environment the program runs in. Standard library only: it works before anything is
installed."""
