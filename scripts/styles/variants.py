"""Variants of a style that the seed chooses among: line-up, ending, form."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from scripts.styles.style import Style

Form = tuple[str, ...]  # names of sections

_OWN_SHARE = 2  # chances of the style's own instrument, ending and form; each other one has 1


def choose_line_up(style: Style, seed: int) -> Style:
    """Choose the instruments and the ending of a song.

    An instrument that another role has is not chosen as an alternative.
    """
    rng = random.Random(f"line-up {seed}")
    tracks = dict(style.tracks)
    for role, track in style.tracks.items():
        used = {other.instrument for name, other in tracks.items() if name != role}
        options = [name for name in track.alternatives if name not in used]
        chosen = rng.choice([track.instrument] * _OWN_SHARE + options)
        if chosen != track.instrument:
            tracks[role] = replace(track, instrument=chosen, manners=())
    ending = rng.choice([style.endings[0], *style.endings])
    return replace(style, tracks=tracks, endings=(ending,))


def choose_form(form: Form, seed: int) -> Form:
    """Choose the form of a song among the variants of a style's form."""
    own, *others = form_variants(form)
    return random.Random(f"form {seed}").choice([own] * _OWN_SHARE + others)


def form_variants(form: Sequence[str]) -> tuple[Form, ...]:
    """Return a form and variations of it, without duplicates.

    The variations leave out bridge and solo, add a solo, add a bridge, or begin with the chorus.
    """
    form = tuple(form)
    plain = tuple(s for s in form if s not in ("bridge", "solo"))
    last = form[-1:] if form[-1] == "outro" else ()
    body = form[: len(form) - len(last)]
    main = next((s for s in body if s in ("chorus", "drop")), "verse")
    options = [
        form,
        plain,
        (*body, "solo", main, *last),
        (*body, "bridge", main, *last),
        (*body[:1], main, *body[1:], *last),
    ]
    return tuple(dict.fromkeys(options))
