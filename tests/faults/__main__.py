"""``python -m tests.faults kill --home DIR --moments 200``."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from tests.conftest import STARTER
from tests.faults import kill


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("what", choices=("kill",))
    parser.add_argument("--home", type=Path, required=True, help="an empty folder to work in")
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    (args.home / "models").mkdir(parents=True)
    shutil.copy(STARTER, args.home / "models")
    kill.main(args.home, args.moments, args.seed)


if __name__ == "__main__":
    main()
