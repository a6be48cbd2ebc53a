"""Blends several styles into one.

Each style claims the roles that characterize it: in "chill, dubstep", dubstep provides bass and
drums, chill chords and melody. Numbers such as density and swing are averaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

from scripts.styles.style import ROLES, MelodyRules, Style

_COMMON_METER = "4/4"


def blend(styles: Sequence[Style]) -> Style:
    """Blend one or more styles; the first one decides whatever is not blended.

    Tracks come from the styles that `assign_roles` assigns; tags from the owner of the melody,
    form and ending from the owner of the drums unless that is a mood.
    """
    if len(styles) == 1:
        return styles[0]
    by_name = {s.name: s for s in styles}
    style_by_role = assign_roles(styles)
    leader, rhythm = by_name[style_by_role["melody"]], by_name[style_by_role["drums"]]
    return replace(
        reduce(_blend_pair, styles),
        genre=styles[0].genre,
        tags=leader.tags,
        form=rhythm.form if rhythm.kind == "style" else styles[0].form,
        endings=rhythm.endings if rhythm.kind == "style" else styles[0].endings,
        tracks={role: by_name[name].tracks[role] for role, name in style_by_role.items()},
    )


def assign_roles(styles: Sequence[Style]) -> dict[str, str]:
    """Assign each role to the style with the highest claim on it.

    Every style gets at least one of melody, chords, bass and drums where possible.

    Returns
    -------
    dict of str to str
        Name of the style by role.
    """
    owner: dict[str, str] = {}
    for role in ROLES:
        having = [s for s in styles if role in s.tracks]
        if having:
            owner[role] = max(having, key=lambda s: s.claims.get(role, 0.0)).name
    for style in styles:
        main = [r for r in ROLES[:4] if r in owner]
        if style.name in [owner[r] for r in main]:
            continue
        spare = [r for r in main if sum(owner[x] == owner[r] for x in main) > 1]
        if spare:
            owner[max(spare, key=lambda r: style.claims.get(r, 0.0))] = style.name
    return owner


def _blend_pair(a: Style, b: Style) -> Style:
    """Blend two styles except for tracks, tags, form and ending (see :func:`blend`)."""
    return replace(
        a,
        name=f"{a.name}+{b.name}",
        kind="style",
        words=(),
        tempo=_blend_tempo(a, b),
        scales=_intersect_weights(a.scales, b.scales),
        major=_merge_names(a.major, b.major),
        minor=_merge_names(a.minor, b.minor),
        claims={r: max(a.claims.get(r, 0), b.claims.get(r, 0)) for r in ROLES},
        melody=_blend_melody_rules(a.melody, b.melody),
        meters=_blend_meters(a.meters, b.meters),
        meter_tags={**b.meter_tags, **a.meter_tags},
        parts=a.parts if a.plan else (),
        plan=a.plan,
        swing=(a.swing + b.swing) / 2,
    )


def _blend_tempo(a: Style, b: Style) -> tuple[float, float]:
    """Tempo range that both share, in half or double time if need be, else one between them."""
    strong, weak = (a, b) if a.claims.get("drums", 0) >= b.claims.get("drums", 0) else (b, a)
    options = [(weak.tempo[0] * k, weak.tempo[1] * k) for k in (1.0, 2.0, 0.5)]
    low, high = strong.tempo

    def gap(t: tuple[float, float]) -> float:
        return max(low - t[1], t[0] - high, 0.0)

    other = min(options, key=gap)
    if gap(other) == 0:
        return max(low, other[0]), min(high, other[1])
    # Still no overlap: from the edge of the stronger style 35 % of the way to the other.
    edge, target = (low, other[1]) if other[1] < low else (high, other[0])
    middle = edge + (target - edge) * 0.35
    return min(edge, middle), max(edge, middle)


def _blend_meters(a: Mapping[str, float], b: Mapping[str, float]) -> Mapping[str, float]:
    """Meters that both have; else those of the style that is not simply in 4/4."""
    if a.keys() & b.keys():
        return _intersect_weights(a, b)
    return b if a.keys() == {_COMMON_METER} else a


def _intersect_weights(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    both = {k: a[k] * b[k] for k in a if k in b}
    return both or {**b, **a}


def _merge_names(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*a, *b]))


def _blend_melody_rules(a: MelodyRules, b: MelodyRules) -> MelodyRules:
    low, high = max(a.low, b.low), min(a.high, b.high)
    if high - low < 14:
        low, high = a.low, a.high
    durations = tuple(sorted(set(a.durations) & set(b.durations))) or a.durations
    return replace(
        a,
        low=low,
        high=high,
        durations=durations,
        density=round((a.density + b.density) / 2),
        harmony=round((a.harmony + b.harmony) / 2),
        triplets=a.triplets and b.triplets,
        ties=a.ties or b.ties,
        syncopation=a.syncopation and b.syncopation,
        chromatic=a.chromatic and b.chromatic,
        half_bar_chords=a.half_bar_chords and b.half_bar_chords,
    )
