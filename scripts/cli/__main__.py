"""``python -m scripts.cli``: the program without the installer."""

import sys

from scripts.cli.main import run_program

if __name__ == "__main__":
    sys.exit(run_program())
