"""The order in which written bars are played: parts, repeats, endings, da capo and dal segno."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scripts.score.piece import MusicTooLargeError
from scripts.score.written_bars import MAX_BARS, Warn, WrittenBar

# Repeats end when a piece is this many times as long as written, and longer than the minimum: a
# file can ask for a million repeats in a few bytes.
_MAX_EXPANSION = 4
_MIN_LIMIT = 500  # bars


def order_parts(bars: Sequence[WrittenBar], order: str, warn: Warn) -> list[WrittenBar]:
    """Arrange the bars in the order of parts that the header gives.

    Parameters
    ----------
    order : str
        One letter per part; empty for the order of writing. Bars before the first part come first.

    Raises
    ------
    MusicTooLargeError
        When more than :data:`MAX_BARS` bars are to be played.
    """
    parts: dict[str, list[WrittenBar]] = {}
    for bar in bars:
        parts.setdefault(bar.part, []).append(bar)
    if not order or not set(parts) - {""}:
        return list(bars)
    for part, written in parts.items():
        if part and part not in order:
            warn(written[0].line, f"part {part} is not in the order of parts and is not played")
    found = list(parts.get("", ()))
    for part in dict.fromkeys(order):
        if part not in parts:
            warn(bars[0].line, f"part {part} of the order of parts is missing")
    for part in order:
        section = parts.get(part, [])
        if section:
            found.append(replace(section[0], starts_part=True))
            found += section[1:]
        if len(found) > MAX_BARS:
            raise MusicTooLargeError(f"the order of parts has more than {MAX_BARS:,} bars")
    return found


def merge_marks(voices: Sequence[Sequence[WrittenBar]]) -> list[WrittenBar]:
    """Bars with the repeats, endings and marks of all voices together, without their notes.

    Parameters
    ----------
    voices : sequence of sequence of WrittenBar
        One voice may have fewer bars than another.
    """
    merged = []
    for number in range(max(map(len, voices), default=0)):
        same = [bars[number] for bars in voices if number < len(bars)]
        merged.append(
            WrittenBar(
                same[0].full,
                same[0].line,
                starts_part=any(bar.starts_part for bar in same),
                starts_repeat=max(bar.starts_repeat for bar in same),
                ends_repeat=max(bar.ends_repeat for bar in same),
                endings=frozenset().union(*(bar.endings for bar in same)),
                marks=frozenset().union(*(bar.marks for bar in same)),
            )
        )
    return merged


def find_playing_order(bars: Sequence[WrittenBar], warn: Warn) -> list[int]:
    """Return the indices of `bars` in playing order.

    Parameters
    ----------
    bars : sequence of WrittenBar
    warn : callable
        Called for bars that are never reached, and for repeats that are left out.

    Notes
    -----
    A repeat without a start begins at the last double bar, repeat or part. Repeats stop when
    the music is four times as long as it is written and has more than 500 bars.
    """
    bars = _complete_endings(bars)
    played = _follow_repeats(bars, warn)
    reached = set(played)
    played = _follow_jump(bars, played)
    for i, bar in enumerate(bars):
        if i not in reached:
            warn(bar.line, "an ending is not reached by any repeat and is not played")
    return played


def _complete_endings(bars: Sequence[WrittenBar]) -> list[WrittenBar]:
    """Close endings that another one follows without a repeat sign, and close gaps in numbers."""
    found = list(bars)
    i = 0
    while i < len(found):
        end = i
        while end < len(found) and found[end].endings:
            end += 1
        written = sorted({n for bar in found[i:end] for n in bar.endings})
        ranks = {n: rank for rank, n in enumerate(written, 1)}
        for j in range(i, end):
            numbers = frozenset(ranks[n] for n in found[j].endings)
            other_follows = j + 1 < end and found[j + 1].endings != found[j].endings
            repeats = max(found[j].ends_repeat, int(other_follows))
            found[j] = replace(found[j], endings=numbers, ends_repeat=repeats)
        i = max(end, i + 1)
    return found


def _follow_repeats(bars: Sequence[WrittenBar], warn: Warn) -> list[int]:
    limit = min(MAX_BARS, max(_MIN_LIMIT, _MAX_EXPANSION * len(bars)))
    last_endings = _last_endings(bars)
    played: list[int] = []
    i = start = 0
    turn = 1
    while i < len(bars):
        bar = bars[i]
        starts = i > start and bool(bar.starts_repeat or bar.starts_part)
        is_later_ending = bool(bar.endings) and 1 not in bar.endings
        if (starts and not is_later_ending) or _is_after_endings(bars, i, played):
            start, turn = i, 1
        if bar.endings and turn not in bar.endings:
            i += 1
            continue
        played.append(i)
        if starts and is_later_ending:  # it ends one section and starts the next
            start, turn = i, 1
        if not bar.ends_repeat:
            i += 1
            continue
        if turn == 1:
            _warn_of_missing_start(bars, start, bar, warn)
        rounds = 1 + max(bar.ends_repeat, bars[start].starts_repeat)
        rounds = last_endings[start] if bar.endings else rounds
        is_over = len(played) + i + 1 - start > limit
        if turn < rounds and not is_over:
            turn, i = turn + 1, start
            continue
        if turn < rounds:
            warn(bar.line, f"repeats that make the music longer than {limit:,} bars are left out")
        elif bar.endings and 1 not in bar.endings:
            warn(bar.line, "the repeat sign at the end of the last ending is not played")
        turn, i = 1, i + 1
        start = i
    return played


def _is_after_endings(bars: Sequence[WrittenBar], i: int, played: Sequence[int]) -> bool:
    """Whether bar `i` follows the last ending of a section."""
    return (
        bool(played) and played[-1] == i - 1 and bool(bars[i - 1].endings) > bool(bars[i].endings)
    )


def _warn_of_missing_start(
    bars: Sequence[WrittenBar], start: int, end: WrittenBar, warn: Warn
) -> None:
    if start and not bars[start].starts_repeat and not bars[start - 1].ends_repeat:
        warn(end.line, "this repeat has no start; it begins at the last double bar or ending")


def _last_endings(bars: Sequence[WrittenBar]) -> list[int]:
    """Highest number of the endings from each bar to the end of its section, at least 2."""
    found = [2] * len(bars)
    for i in range(len(bars) - 1, -1, -1):
        following = bars[i + 1] if i + 1 < len(bars) else None
        if following is not None and (following.endings or not following.starts_part):
            found[i] = found[i + 1]
        found[i] = max(found[i], *bars[i].endings, 0)
    return found


def _follow_jump(bars: Sequence[WrittenBar], played: list[int]) -> list[int]:
    """Insert what is played after a da capo or dal segno: no repeats, up to fine or the coda."""
    jumps = [i for i, bar in enumerate(bars) if {"da capo", "dal segno"} & bar.marks]
    if not jumps or jumps[0] not in played:
        return played
    at = len(played) - 1 - played[::-1].index(jumps[0])
    signs = [i for i, bar in enumerate(bars) if "segno" in bar.marks]
    codas = [i for i, bar in enumerate(bars) if "coda" in bar.marks]
    i = signs[0] if "dal segno" in bars[jumps[0]].marks and signs else 0
    again: list[int] = []
    is_played = _bars_without_repeats(bars)
    while i < len(bars):
        if is_played[i]:
            again.append(i)
            if "fine" in bars[i].marks:
                return played[: at + 1] + again
            if len(codas) > 1 and i == codas[0]:
                i = codas[-1]
                codas = []
                continue
            if i == jumps[0]:
                break
        i += 1
    return played[: at + 1] + again + (played[at + 1 :] if codas != [] or i == jumps[0] else [])


def _bars_without_repeats(bars: Sequence[WrittenBar]) -> list[bool]:
    """Whether each bar is played when repeats are not: it has no ending, or the last one."""
    found = [True] * len(bars)
    for i in range(len(bars) - 2, -1, -1):
        if bars[i].endings and bars[i + 1].endings:
            found[i] = found[i + 1] and bars[i].endings == bars[i + 1].endings
    return found
