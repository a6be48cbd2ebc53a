"""Styles as data: what is known, what is guessed, and what blending keeps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.arranger.grooves import load_grooves
from scripts.arranger.melody import TREATMENTS
from scripts.arranger.patterns import load_patterns
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.styles.blend import assign_roles, blend
from scripts.styles.lookup import find_styles
from scripts.styles.style import Style, load_styles, read_style
from scripts.synth.instruments import load_instruments

KNOWN = load_styles(paths.DATA / "styles")


def test_the_promised_styles_are_there() -> None:
    assert {
        "chill",
        "dubstep",
        "jazz",
        "classical",
        "rock",
        "lo-fi",
        "ambient",
        "house",
        "hip-hop",
        "folk",
        "blues",
        "sad",
        "happy",
        "romantic",
    } <= set(KNOWN)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_style_names_only_instruments_and_patterns_that_exist(name: str) -> None:
    instruments = load_instruments(paths.DATA / "instruments")
    patterns = load_patterns(paths.DATA / "grooves")
    grooves = load_grooves(paths.DATA / "grooves" / "played.toml")
    drums = {*patterns.drums, *grooves}
    tables = {
        "drums": drums,
        "percussion": drums,
        "bass": {*patterns.bass},
        "melody": {*TREATMENTS},
    }
    for role, track in KNOWN[name].tracks.items():
        assert track.instrument in instruments
        if role in ("texture", "fx"):
            continue
        assert len(set(track.patterns)) >= 4
        assert set(track.patterns) <= tables.get(role, {*patterns.chords})


def test_a_blend_is_neither_of_its_styles() -> None:
    chill, dubstep = KNOWN["chill"], KNOWN["dubstep"]
    both = blend([chill, dubstep])
    sounds = {r: t.instrument for r, t in both.tracks.items()}
    for style in (chill, dubstep):
        assert sounds != {r: t.instrument for r, t in style.tracks.items()}
    gave = assign_roles([chill, dubstep])
    assert gave["bass"] == gave["drums"] == "dubstep"
    assert gave["chords"] == "chill"


@pytest.mark.parametrize(
    "names",
    [
        ("jazz", "house"),
        ("sad", "rock"),
        ("ambient", "folk", "funk"),
        ("classical", "hip-hop", "lo-fi", "happy"),
        ("ambient", "blues", "chill"),
    ],
)
def test_every_style_of_a_blend_is_heard(names: tuple[str, ...]) -> None:
    gave = assign_roles([KNOWN[n] for n in names])
    assert set(gave.values()) == set(names)
    sounds = blend([KNOWN[n] for n in names]).tracks
    assert all(sounds[role] == KNOWN[name].tracks[role] for role, name in gave.items())
    low, high = blend([KNOWN[n] for n in names]).tempo
    assert 20 <= low <= high <= 300


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("Chill, Dubstep", ("chill", "dubstep")),
        ("LOFI", ("lo-fi",)),
        ("hip hop", ("hip-hop",)),
        ("sad piano jazz", ("sad", "jazz")),
        ("ジャズ", ("jazz",)),
        ("sad violin music", ("sad",)),
        ("piano", ("classical",)),
        ("deep huose", ("house",)),
    ],
)
def test_words_find_their_styles(words: str, names: tuple[str, ...]) -> None:
    assert find_styles(words, KNOWN).names == names


def test_an_unknown_word_is_mapped_and_told() -> None:
    match = find_styles("Balkan brass", KNOWN)
    assert match.names
    assert "balkan brass" in match.warnings[0]
    assert "unknown style" in find_styles("qqqq", KNOWN).warnings[0]


@pytest.mark.parametrize("words", ["", "!!!", "., ;", "-", "\x1b[2J" * 60])
def test_words_without_a_style_are_refused(words: str) -> None:
    with pytest.raises(UsageError):
        find_styles(words, KNOWN)


@settings(max_examples=300)
@given(st.text(max_size=220))
def test_any_words_find_styles_or_are_refused(words: str) -> None:
    try:
        assert set(find_styles(words, KNOWN).names) <= set(KNOWN)
    except UsageError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('genre = "Jazz"', "", "'genre' is missing"),
        ("tempo = [110, 168]", "tempo = [500, 600]", "tempo"),
        ('"V7"', '"Q7"', "Roman numeral"),
        ("[tracks]", "[tracks", "jazz.toml"),
        ('"dorian" = 1', '"dorien" = 1', "line {scales}: .*dorien"),
        ("melody = {", "kazoo = {", "line {melody = }: .*kazoo"),
        ("range = [58, 82]", "range = [58, 60]", r"line {range}: melody.range"),
        ("gain = -5, reverb", "gian = -5, reverb", "line {gain = -5, reverb}: .*gian"),
        ("tempo = [110, 168]", "tempo = [168, 110]", "line {tempo}: tempo"),
    ],
)
def test_a_broken_style_file_is_refused_with_its_reason(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    text = (paths.DATA / "styles" / "jazz.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "jazz.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    for mark in re.findall(r"\{(.+?)\}", reason):  # the line of these words in the whole file
        line = (
            text[: text.index(f"\n{mark}") + 1].count("\n") + 1
            if f"\n{mark}" in text
            else text[: text.index(mark)].count("\n") + 1
        )
        reason = reason.replace(f"{{{mark}}}", str(line))
    with pytest.raises(UsageError, match=reason) as caught:
        read_style(path)
    assert "jazz.toml" in str(caught.value)


def test_a_new_style_is_one_new_file(tmp_path: Path) -> None:
    text = (paths.DATA / "styles" / "jazz.toml").read_text(encoding="utf-8")
    (tmp_path / "gypsy.toml").write_text(text, encoding="utf-8")
    found: dict[str, Style] = load_styles(tmp_path)
    assert find_styles("gypsy", found).names == ("gypsy",)
