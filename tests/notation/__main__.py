"""``python -m tests.notation FOLDER... --files 100 --compare 20``: reads samples of folders."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.notation.survey import format_table, survey


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.notation")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=100, help="files read of each folder")
    parser.add_argument("--compare", type=int, default=20, help="files compared of each folder")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    results = []
    for folder in args.folders:
        result = survey(folder, args.files, args.compare, args.seed)
        results.append((folder.name, result))
        for reason, count in result.reasons.most_common(12):
            print(f"{folder.name}: {count} x {reason}", file=sys.stderr)
        for line in result.different:
            print(f"{folder.name}: different: {line}", file=sys.stderr)
    print("\n".join(format_table(results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
