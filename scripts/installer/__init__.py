"""Creates the virtual environment of the program. Standard library only, because it runs before
any package is installed."""
