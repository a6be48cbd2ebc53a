"""Command line: ``python -m training STEP``; docs/training.md explains the steps."""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from pathlib import Path

_READER = Path("models/reader.gguf")


def main() -> None:
    """Run one step of the training."""
    if sys.argv[1:2] == ["mood"]:
        from training.mood.__main__ import main as run_mood_step

        run_mood_step(sys.argv[2:])
        return
    if sys.argv[1:2] == ["lyrics"]:
        from training.lyrics.__main__ import main as run_lyrics_step

        run_lyrics_step(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m training")
    parser.add_argument(
        "step",
        choices=(
            "prepare",
            "train",
            "export",
            "evaluate",
            "grooves",
            "habits",
            "reader",
            "phrases",
            "spelling",
            "recordings",
            "rhythms",
            "guide",
            "pronunciations",
        ),
    )
    parser.add_argument("--collections", type=Path, help="folder with the downloaded collections")
    parser.add_argument("--sources", type=Path, help="folder with the sample libraries")
    parser.add_argument("--names", nargs="*", default=[], help="recorded instruments; else all")
    parser.add_argument("--work", type=Path, default=Path("training-work"))
    parser.add_argument("--gguf", type=Path, default=Path("models/starter.gguf"))
    parser.add_argument("--minutes", type=float, default=110)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tunes", type=int, default=200)
    parser.add_argument("--weights", nargs="*", type=float, default=[0.0, 0.75])
    args = parser.parse_args()
    data, run = args.work / "data", args.work / "run"
    if args.step == "prepare":
        from training.corpus import (
            load_sheets,
            prepare_corpus,
            train_tokenizer,
            transposed_documents,
        )

        if args.collections is None:
            parser.error("the step prepare requires --collections FOLDER")
        for name, count in sorted(prepare_corpus(args.collections, data, args.seed).items()):
            print(f"{name}: {count}")
        rng = random.Random(args.seed)
        sheets = load_sheets(data / "train.jsonl")
        texts = [rng.choice(list(itertools.islice(transposed_documents(s), 12))) for _, s in sheets]
        train_tokenizer(texts, data / "tokenizer")
    elif args.step == "grooves":
        from training.grooves import learn_grooves

        if args.collections is None:
            parser.error("the step grooves requires --collections FOLDER")
        learn_grooves(
            args.collections / "groove-midi.zip",
            args.collections / "groove-midi.info.csv",
            Path("data/grooves/played.toml"),
        )
    elif args.step == "habits":
        from training.habits import learn_habits

        if args.collections is None:
            parser.error("the step habits requires --collections FOLDER")
        for name, count in learn_habits(args.collections, Path("data/progressions.toml")).items():
            print(f"{name}: {count}")
    elif args.step == "reader":
        from training.reader.export import export_reader

        export_reader(_READER)
    elif args.step == "phrases":
        from training.reader.evaluate import fit_reader

        print(fit_reader(_READER, args.seed))
    elif args.step == "spelling":
        from training.reader.correct_words import write_correct_words

        print(f"{write_correct_words()} words")
    elif args.step == "recordings":
        from training.recordings.build import build_recordings

        if args.sources is None:
            parser.error("the step recordings requires --sources FOLDER")
        build_recordings(args.sources, args.names)
    elif args.step == "rhythms":
        from training.rhythms import count_rhythms

        if args.sources is None or args.collections is None:
            parser.error("the step rhythms requires --sources FOLDER and --collections FOLDER")
        count = count_rhythms(args.sources, args.collections, Path("data/rhythms.toml"))
        print(f"{count} figures")
    elif args.step == "pronunciations":
        from training.pronunciations import write_pronunciations

        if args.sources is None:
            parser.error("the step pronunciations requires --sources FOLDER")
        print(f"{write_pronunciations(args.sources / 'cmudict.dict')} words")
    elif args.step == "guide":
        from training.guide import measure_guidance

        measure_guidance(
            args.gguf, Path("models/starter.gguf"), data, args.weights, args.tunes, args.seed
        )
    elif args.step == "train":
        from training.model import Shape
        from training.train import train

        train(data, run, args.minutes, Shape(), args.seed, device=args.device)
    elif args.step == "export":
        from training.corpus import load_sheets
        from training.export import export_figures, export_model

        export_model(run / "model.pt", data / "tokenizer.model", args.gguf)
        export_figures([s for _, s in load_sheets(data / "train.jsonl") if s.pitches], args.gguf)
    else:
        from training.evaluate import evaluate

        evaluate(data, run, args.gguf, args.tunes, args.seed)


if __name__ == "__main__":
    main()
