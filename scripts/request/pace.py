"""How fast music is, in words: ranges in quarter notes per minute."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.core.errors import UsageError
from scripts.styles.style import Style

PACES: dict[str, tuple[float, float]] = {
    "largo": (44, 60),
    "adagio": (60, 76),
    "andante": (76, 100),
    "moderato": (96, 116),
    "allegretto": (104, 124),
    "allegro": (120, 152),
    "vivace": (144, 172),
    "presto": (170, 200),
    "very slow": (46, 60),
    "slow": (60, 80),
    "medium": (92, 112),
    "fast": (132, 168),
    "very fast": (160, 190),
}
# A tempo belongs to the character of dance music: there these words mean slow or fast for it.
_RELATIVE = {
    "very slow": (0.6, 0.72),
    "slow": (0.72, 0.86),
    "fast": (1.12, 1.25),
    "very fast": (1.25, 1.4),
}
_TOWARDS_MEDIUM = 0.1  # of its tempo, that dance music slower or faster than medium is moved
_MIN_DRUM_CLAIM = 0.5  # of a style that is dance music
_LIMITS = (20.0, 300.0)


def parse_tempo(text: str) -> tuple[float | None, str | None]:
    """Parse a tempo as options, wishes and tables have it.

    Returns
    -------
    tempo : float or None
        Quarter notes per minute.
    pace : str or None
        Else the word, which may be one of any language's word list.

    Raises
    ------
    UsageError
        If it is neither.
    """
    number = text.casefold().strip().removesuffix("bpm").strip().replace(",", ".")
    if not any(char.isdigit() for char in number) and any(char.isalpha() for char in number):
        return None, " ".join(text.lower().split())
    try:
        value = float(number)
    except ValueError:
        raise _invalid_tempo(text) from None
    if not _LIMITS[0] <= value <= _LIMITS[1]:
        raise _invalid_tempo(text)
    return value, None


def _invalid_tempo(text: str) -> UsageError:
    return UsageError(
        f'invalid tempo "{text[:20]}": expected 20 to 300 beats per minute, '
        "or a word such as slow, medium, fast, very fast or allegro"
    )


def check_pace(text: str) -> str:
    """Check a word for the tempo and return it as :data:`PACES` has it.

    Raises
    ------
    UsageError
        If the word is unknown.
    """
    name = " ".join(text.lower().split())
    if name not in PACES:
        raise _invalid_tempo(text)
    return name


def pace_range(pace: str, styles: Sequence[Style], blended: Style) -> tuple[float, float]:
    """Range of tempos that a word means in a style.

    Parameters
    ----------
    pace : str
        A name in :data:`PACES`.
    styles : sequence of Style
        The styles that were chosen.
    blended : Style
        Their blend.

    Raises
    ------
    UsageError
        If the word is unknown.
    """
    name = check_pace(pace)
    low, high = PACES[name]
    if name not in _RELATIVE and name != "medium":
        return low, high
    for style in (blended, *styles):
        shared = max(low, style.tempo[0]), min(high, style.tempo[1])
        if shared[0] <= shared[1]:
            return shared
    strongest = max(styles, key=lambda s: (s.kind == "style") * s.claims.get("drums", 0.0))
    if strongest.kind != "style" or strongest.claims.get("drums", 0.0) < _MIN_DRUM_CLAIM:
        return low, high
    if name == "medium":
        slowest, fastest = strongest.tempo
        if slowest > high:
            return slowest * (1 - _TOWARDS_MEDIUM), slowest
        return fastest, fastest * (1 + _TOWARDS_MEDIUM)
    factors = _RELATIVE[name]
    edge = strongest.tempo[0] if factors[1] < 1 else strongest.tempo[1]
    return max(_LIMITS[0], edge * factors[0]), min(_LIMITS[1], edge * factors[1])
