"""``python -m tests.faults kill --home DIR``, ``... fuzz --examples 10000``, ``... cluster``."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from tests.conftest import STARTER
from tests.faults import fuzz, kill


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("what", choices=("kill", "fuzz", "cluster"))
    parser.add_argument("--home", type=Path, help="kill: an empty folder to work in")
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument(
        "--hostile", action="store_true", help="kill: two of three orders name hostile models"
    )
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--only", default="", help="fuzz: only readers whose name contains this")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.what == "cluster":
        from tests.faults import cluster

        return cluster.main()
    if args.what == "fuzz":
        return fuzz.main(args.examples, args.seed, args.only)
    (args.home / "models").mkdir(parents=True)
    shutil.copy(STARTER, args.home / "models")
    if args.hostile:
        kill.write_hostile_models(args.home / "models")
    kill.main(args.home, args.moments, args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
