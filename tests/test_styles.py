"""Style files, the lookup of styles by name, and blends of styles."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.arranger.grooves import load_grooves
from scripts.arranger.melody import TREATMENTS
from scripts.arranger.patterns import load_patterns
from scripts.composer.riffs import RIFF
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.styles.blend import assign_roles, blend
from scripts.styles.lookup import find_styles
from scripts.styles.style import Style, load_styles, read_style
from scripts.synth.instruments import load_instruments

STYLES = load_styles(paths.DATA / "styles")


def test_the_documented_styles_exist() -> None:
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
    } <= set(STYLES)


@pytest.mark.parametrize("name", sorted(STYLES))
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
    for role, track in STYLES[name].tracks.items():
        can_riff = STYLES[name].melody.rhythm and role in ("chords", "bass", "arp")
        riff = {RIFF} if can_riff else set()
        assert {track.instrument, *track.alternatives} <= instruments.keys()
        if role in ("texture", "fx"):
            continue
        assert len(set(track.patterns)) >= 4
        assert {*track.patterns} - riff <= tables.get(role, {*patterns.chords})


def test_a_blend_differs_from_each_of_its_styles() -> None:
    chill, dubstep = STYLES["chill"], STYLES["dubstep"]
    both = blend([chill, dubstep])
    sounds = {r: t.instrument for r, t in both.tracks.items()}
    for style in (chill, dubstep):
        assert sounds != {r: t.instrument for r, t in style.tracks.items()}
    roles = assign_roles([chill, dubstep])
    assert roles["bass"] == roles["drums"] == "dubstep"
    assert roles["chords"] == "chill"


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
def test_every_style_of_a_blend_contributes_a_role(names: tuple[str, ...]) -> None:
    roles = assign_roles([STYLES[n] for n in names])
    assert set(roles.values()) == set(names)
    sounds = blend([STYLES[n] for n in names]).tracks
    assert all(sounds[role] == STYLES[name].tracks[role] for role, name in roles.items())
    low, high = blend([STYLES[n] for n in names]).tempo
    assert 20 <= low <= high <= 300


@pytest.mark.parametrize(
    ("text", "names"),
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
def test_text_finds_its_styles(text: str, names: tuple[str, ...]) -> None:
    assert find_styles(text, STYLES).names == names


def test_an_unknown_word_is_mapped_with_a_warning() -> None:
    match = find_styles("Balkan brass", STYLES)
    assert match.names
    assert "balkan brass" in match.warnings[0]
    assert "unknown style" in find_styles("qqqq", STYLES).warnings[0]


@pytest.mark.parametrize("text", ["", "!!!", "., ;", "-", "\x1b[2J" * 60])
def test_text_without_a_style_is_rejected(text: str) -> None:
    with pytest.raises(UsageError):
        find_styles(text, STYLES)


@settings(max_examples=300)
@given(st.text(max_size=220))
def test_any_text_finds_styles_or_is_rejected(text: str) -> None:
    try:
        assert set(find_styles(text, STYLES).names) <= set(STYLES)
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
        ("gain = -5, ambience", "gian = -5, ambience", "line {gain = -5, ambience}: .*gian"),
        ("tempo = [110, 168]", "tempo = [168, 110]", "line {tempo}: tempo"),
    ],
)
def test_an_invalid_style_file_is_rejected_with_the_reason(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    text = (paths.DATA / "styles" / "jazz.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "jazz.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    for mark in re.findall(r"\{(.+?)\}", reason):  # line number of this text in the complete file
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
    shutil.copy(paths.DATA / "mastering.toml", tmp_path)
    folder = tmp_path / "styles"
    folder.mkdir()
    (folder / "gypsy.toml").write_text(text, encoding="utf-8")
    found: dict[str, Style] = load_styles(folder)
    assert find_styles("gypsy", found).names == ("gypsy",)


def test_a_style_that_is_not_utf_8_is_rejected() -> None:
    with pytest.raises(UsageError, match="not valid UTF-8"):
        find_styles("Chill\udce9", STYLES)
