"""What lyrics say of their song: genre, mood, chords; the command that shows it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.batch.lyrics_analyst import LyricsAnalysis, analyze_lyrics
from scripts.composer.lyric_chords import BARS_PER_LINE, SectionWords, choose_chords, tension_of
from scripts.composer.progressions import load_progressions
from scripts.core import paths
from scripts.core.errors import SetupError
from scripts.llm.genre_file import format_genres, genres_beside, load_genres
from scripts.llm.gguf_file import read_gguf
from scripts.lyrics.genre import FORM_FEATURES, GENRES, measure_form
from scripts.lyrics.lyrics import SECTION_KINDS
from scripts.lyrics.read import read_lyrics
from scripts.score.chords import parse_roman_numeral
from scripts.score.keys import Key
from scripts.styles.lyric_genres import load_lyric_genres
from scripts.styles.style import Style
from tests.conftest import ROOT

READER = ROOT / "models" / "reader.gguf"
FAMILIES = load_progressions(paths.DATA / "progressions.toml")
SAD = """[Verse]
The harbor lights are going dim
My brother's boat is late again
I keep a lamp and pray for him
And count the hours in the rain

[Chorus]
Oh carry me home, carry me home
Over the water and over the foam
"""


@pytest.fixture(scope="module")
def sad() -> LyricsAnalysis:
    return analyze_lyrics(read_lyrics(SAD), 1)


def test_every_genre_has_styles_and_chords(styles: dict[str, Style]) -> None:
    genres = load_lyric_genres(paths.DATA / "lyrics" / "genres.toml")
    assert set(genres) == set(GENRES)
    for genre in genres.values():
        assert set(genre.styles) <= set(styles)
        assert genre.family in FAMILIES


def test_lyrics_are_analyzed_line_by_line(sad: LyricsAnalysis) -> None:
    assert sad.language == "en"
    assert sum(genre.probability for genre in sad.genres) == pytest.approx(1, abs=0.01)
    assert [section.kind for section in sad.sections] == ["verse", "chorus"]
    verse = sad.sections[0]
    assert [len(line.syllables) for line in verse.lines] == [8, 8, 8, 7]
    assert verse.lines[2].stresses == (False, True, False, True, False, True, False, False)
    assert sad.sections[1].rhymes == "AA"
    assert all(len(s.chords) == BARS_PER_LINE * len(s.lines) for s in sad.sections)


def test_sad_words_are_in_minor_and_glad_ones_in_major(sad: LyricsAnalysis) -> None:
    glad = "The sun is out, the kids all sing\nWe dance around the apple tree\n" * 2
    assert sad.mode == "minor"
    assert analyze_lyrics(read_lyrics(glad), 1).mode == "major"


def test_lyrics_without_a_reader_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.batch.lyrics_analyst.open_reader", lambda name: None)
    with pytest.raises(SetupError, match=r"reader\.gguf"):
        analyze_lyrics(read_lyrics(SAD), 1)


@pytest.mark.parametrize("family", sorted(FAMILIES))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(SECTION_KINDS), st.lists(st.floats(-1, 1), min_size=1, max_size=9)
        ),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
    st.integers(0, 99),
)
def test_chords_fill_every_line_and_come_home(
    family: str, sections: list[tuple[str, list[float]]], minor: bool, seed: int
) -> None:
    key = Key("A", "minor") if minor else Key("C")
    words = [SectionWords(kind, tuple(values)) for kind, values in sections]
    chosen = choose_chords(words, key, FAMILIES[family], seed)
    for section, chords in zip(words, chosen, strict=True):
        assert len(chords.numerals) == BARS_PER_LINE * len(section.valences)
        assert all(parse_roman_numeral(name, key) for name in chords.numerals)
    same = {(s.kind, len(s.valences)): c for s, c in zip(words, chosen, strict=True)}
    assert all(same[s.kind, len(s.valences)] == c for s, c in zip(words, chosen, strict=True))


def test_darker_lines_have_more_tension() -> None:
    key = Key("C")

    def mean_tension(valence: float) -> float:
        sections = [SectionWords("verse", (0.5, 0.5)), SectionWords("bridge", (valence,) * 4)]
        tensions = []
        for seed in range(20):
            bridge = choose_chords(sections, key, FAMILIES["pop"], seed)[1]
            chords = [parse_roman_numeral(name, key) for name in bridge.numerals]
            tensions += [tension_of(chord, key) for chord in chords if chord]
        return sum(tensions) / len(tensions)

    assert mean_tension(-0.9) > mean_tension(0.5) + 0.05


def test_the_form_of_any_lyrics_can_be_measured() -> None:
    for text in ("la", "♪ a", "la\n" * 300, "привет\nмир", "夜\n海"):
        form = measure_form(read_lyrics(text), "en")
        assert form.shape == (FORM_FEATURES,)
        assert np.isfinite(form).all()


def test_a_damaged_classifier_is_as_good_as_none(tmp_path: Path) -> None:
    name = read_gguf(READER).name
    head = load_genres(genres_beside(READER), name)
    assert head
    path = tmp_path / "reader.genres"
    text = format_genres(head, name)
    path.write_text(text)
    assert load_genres(path, name)
    assert load_genres(path, "another model") is None
    for damaged in ("", "{}", text[:-50], text.replace('"bias": "', '"bias": "AAAA')):
        path.write_text(damaged)
        assert load_genres(path, name) is None


def test_the_command_reads_a_file_or_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "sad.txt"
    path.write_text(SAD, encoding="utf-8")
    command = [sys.executable, str(ROOT / "launcher.py"), "lyrics"]
    shown = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True).stdout
    assert "[verse] A" in shown
    assert "  8  The-HAR-bor-LIGHTS" in shown
    done = subprocess.run(
        [*command, "-", "--json"], input=SAD, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["sections"][1]["kind"] == "chorus"
    failed = subprocess.run([*command, str(tmp_path / "none.txt")], capture_output=True, text=True)
    assert failed.returncode == 2
    assert len(failed.stderr.splitlines()) == 1
