"""Scores how sentences are understood; ``python -m tests.support.sentences`` prints a table.

Each line of a file is a JSON object: ``lang``, ``text`` and ``expect``. What is expected:

key, meter, length (seconds), songs (a number or "endless"), tuning
    as said; ``mode`` in place of ``key`` is a scale without a tonic
tempo
    a number, or the range that a word allows
instruments, without, solo
    names, in the order said
groups
    lists of styles and moods; one of each list is chosen
unknown
    nothing in the text is a wish
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from scripts.batch.interpreter import Interpreter
from scripts.core import paths
from scripts.request.instrument_names import parse_excluded, parse_instruments
from scripts.request.interpret.interpretation import DEFAULT, Interpretation
from scripts.request.pace import PACES
from scripts.request.parse import parse_length
from scripts.request.request import SongRequest
from scripts.styles.blend import blend
from scripts.styles.style import Style, load_styles

SENTENCES = Path(__file__).parents[1] / "fixtures" / "sentences"
STYLES = "styles"
_TOLERANCE = 5.0  # beats per minute beyond the range of a word
_NOTHING_GIVEN = SongRequest("", length="")


class Score(NamedTuple):
    """Whether one field of one sentence was understood."""

    language: str
    field: str
    is_right: bool
    found: object
    expected: object
    text: str


def read_sentences(path: Path) -> list[dict[str, Any]]:
    """Read a file of sentences."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def score_sentences(path: Path, interpreter: Interpreter) -> list[Score]:
    """Score all fields that are expected or found, of all sentences of a file."""
    return [
        score
        for sentence in read_sentences(path)
        for score in score_sentence(sentence, interpreter)
    ]


def score_sentence(sentence: Mapping[str, Any], interpreter: Interpreter) -> Iterator[Score]:
    """Score one sentence."""
    text, expect = sentence["text"], dict(sentence["expect"])
    expect["key"] = expect.get("key") or expect.get("mode")
    understood = interpreter.interpret(text, _NOTHING_GIVEN)
    found = said_fields(understood, interpreter.styles)
    for field, value in found.items():
        wanted = expect.get(field)
        if value is not None or wanted is not None:
            is_right = _matches(field, value, wanted)
            yield Score(sentence["lang"], field, is_right, value, wanted, text)
    if "groups" in expect:
        names = set(understood.styles)
        is_right = all(names & set(group) for group in expect["groups"])
        yield Score(sentence["lang"], STYLES, is_right, understood.styles, expect["groups"], text)
    if expect.get("unknown"):
        is_right = understood.sources["styles"].origin == DEFAULT and bool(understood.unknown)
        yield Score(sentence["lang"], STYLES, is_right, understood.styles, "nothing", text)


def said_fields(understood: Interpretation, styles: Mapping[str, Style]) -> dict[str, Any]:
    """Fields that were said; None for the others."""
    request, sources = understood.request, understood.sources
    names, alone = parse_instruments(request.instruments) if request.instruments else ((), False)
    meters = blend([styles[name] for name in understood.styles]).meters
    meter = request.meter or next(iter(meters)) if "meter" in sources else None
    return {
        "key": request.key,
        "meter": meter,
        "tempo": request.tempo or request.pace,
        "length": parse_length(request.length) if "length" in sources else None,
        "songs": understood.songs or None,
        "instruments": list(names) or None,
        "solo": alone or None,
        "without": set(parse_excluded(request.without)) if request.without else None,
        "tuning": request.tuning if "tuning" in sources else None,
    }


def _matches(field: str, found: Any, expected: Any) -> bool:
    if found is None or expected is None:
        return False
    if field == "tempo" and isinstance(expected, list):
        low, high = PACES[found] if isinstance(found, str) else (found, found)
        return bool(low >= expected[0] - _TOLERANCE and high <= expected[1] + _TOLERANCE)
    if field == "songs":
        return str(found) == str(expected)
    if field == "without":
        return bool(found == set(expected))
    return bool(found == expected)


def main() -> None:
    """Print shares by language and field, and each sentence that was misunderstood."""
    interpreter = Interpreter(load_styles(paths.DATA / "styles"))
    files = [Path(name) for name in sys.argv[1:]] or sorted(SENTENCES.glob("*.jsonl"))
    scores = [score for file in files for score in score_sentences(file, interpreter)]
    times = [
        timed
        for file in files
        for sentence in read_sentences(file)
        if (timed := _time_sentence(interpreter, sentence["text"]))
    ]
    interpreter.close()
    for score in scores:
        if not score.is_right:
            print(f"{score.language} {score.field}: {score.found}, not {score.expected}")
            print(f"    {score.text}")
    counts: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for score in scores:
        kind = STYLES if score.field == STYLES else "said"
        for key in {(score.language, kind), ("all", kind), ("all", score.field)}:
            counts[key].append(score.is_right)
    for (language, field), results in counts.items():
        share = sum(results) / len(results)
        print(f"{language:4} {field:12} {sum(results):4} of {len(results):4}  {share:.1%}")
    print(f"slowest sentence {max(times) * 1000:.0f} ms, median {median(times) * 1000:.0f} ms")


def _time_sentence(interpreter: Interpreter, text: str) -> float:
    """Seconds to understand a sentence."""
    started = time.perf_counter()
    interpreter.interpret(text, _NOTHING_GIVEN)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
