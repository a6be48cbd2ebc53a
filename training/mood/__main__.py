"""Command line: ``python -m training.mood STEP``, or ``python -m training mood STEP``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

from scripts.core import paths


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one step of the pipeline."""
    parser = argparse.ArgumentParser(prog="python -m training mood")
    parser.add_argument("step", choices=("prepare", "train", "infer", "evaluate"))
    parser.add_argument("--reader", type=Path, default=paths.ROOT / "models" / "reader.gguf")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--out", type=Path, default=Path("training-work/mood/answers.jsonl"))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="train the present adapter further")
    args = parser.parse_args(arguments)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    if args.step == "prepare":
        from training.mood.prepare import prepare

        for name, count in sorted(prepare(args.reader).items()):
            print(f"{name}: {count}")
    elif args.step == "train":
        from training.mood.train import train

        train(args.reader, args.epochs, args.seed, args.resume)
    elif args.step == "infer":
        from training.mood.infer import infer

        print(f"{infer(args.reader, args.split, args.out)} answers in {args.out}")
    else:
        from training.mood.evaluate import evaluate

        figures = asdict(evaluate(args.out))
        print(msgspec.json.format(msgspec.json.encode(figures)).decode())


if __name__ == "__main__":
    main()
