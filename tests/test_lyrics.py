"""Lyrics as people write them: sections, syllables, stresses, rhymes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import UsageError
from scripts.lyrics.language import LANGUAGES, find_language
from scripts.lyrics.lyrics import SECTION_KINDS
from scripts.lyrics.read import MAX_LINES, decode, read_lyrics, read_lyrics_file
from scripts.lyrics.rhymes import rhyme_scheme
from scripts.lyrics.syllables import split_line
from tests.support.syllable_lines import LANGUAGES as MEASURED
from tests.support.syllable_lines import load_lines

CHORUS = "Carry me home\nCarry me over\n"


def kinds(text: str) -> list[str]:
    return [section.kind for section in read_lyrics(text).sections]


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        ("[Chorus]", "chorus"),
        ("(Refrain)", "chorus"),
        ("Estribillo:", "chorus"),
        ("[Refrão 2]", "chorus"),
        ("Verse 2", "verse"),
        ("[Couplet 1 : Anna]", "verse"),
        ("STROPHE II:", "verse"),
        ("[Pre-Chorus]", "pre-chorus"),
        ("[Brücke]", "bridge"),
        ("[Outro x2]", "outro"),
        ("[something else]", "verse"),
    ],
)
def test_marks_of_many_languages_are_read(mark: str, kind: str) -> None:
    found = read_lyrics(f"{mark}\nthe gulls are asleep\n").sections
    assert (found[0].kind, found[0].lines) == (kind, ("the gulls are asleep",))


def test_a_line_that_is_also_a_mark_needs_its_brackets() -> None:
    assert read_lyrics("all\nthe way home").lines == ("all", "the way home")


def test_a_mark_without_lines_repeats_its_section() -> None:
    text = f"[Chorus]\n{CHORUS}\n[Verse]\nThe rain came down\n\n[Chorus]\n"
    assert kinds(text) == ["chorus", "verse", "chorus"]
    assert read_lyrics(text).lines[-1] == "Carry me over"


def test_what_is_marked_to_be_repeated_is_written_out() -> None:
    assert (
        read_lyrics("[Chorus x2]\nla la\nhome (x3)").lines == ("la la", "home", "home", "home") * 2
    )


def test_unmarked_choruses_and_bridges_are_found_by_repetition() -> None:
    text = f"one\ntwo\n\n{CHORUS}\nthree\nfour\n\n{CHORUS}\nfive\nsix\nseven\n\n{CHORUS}"
    assert kinds(text) == ["verse", "chorus", "verse", "chorus", "bridge", "chorus"]


def test_chords_and_times_are_left_out() -> None:
    text = "[ti:Harbor]\n[00:12.30]I [Am]walk <00:13.00>down\nAm   F  C/G\nto the sea\n"
    found = read_lyrics(text)
    assert (found.title, found.lines) == ("Harbor", ("I walk down", "to the sea"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "é.txt"
    path.write_bytes("là-bas, où l'été dure\r\n".encode(encoding))
    assert read_lyrics_file(path).lines == ("là-bas, où l'été dure",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no words"),
        ("[Chorus]\n\n♪ ♪ 123", "no words"),
        ("la\n" * (MAX_LINES + 1), f"more than {MAX_LINES} lines"),
        ("la (x8)\n" * 60, f"more than {MAX_LINES} lines"),
        ("a" * 300, "over 200 characters"),
    ],
)
def test_what_cannot_be_sung_is_one_clear_line(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read_lyrics(text)


@given(st.text(max_size=400), st.sampled_from(LANGUAGES))
def test_any_text_is_lyrics_or_one_clear_error(text: str, language: str) -> None:
    try:
        lyrics = read_lyrics(text)
    except UsageError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert {section.kind for section in lyrics.sections} <= set(SECTION_KINDS)
    for line in lyrics.lines:
        assert line.isprintable()
        for syllable in split_line(line, language):
            assert syllable.text.strip()


@given(st.binary(max_size=200))
def test_any_bytes_are_text(data: bytes) -> None:
    assert isinstance(decode(data), str)


@pytest.mark.parametrize("language", MEASURED)
def test_syllables_are_counted_as_singers_do(language: str) -> None:
    lines = load_lines(language)
    right = [len(split_line(line.text, language)) == len(line.stresses) for line in lines]
    assert len(lines) == 100
    assert sum(right) >= 97


@pytest.mark.parametrize("language", MEASURED)
def test_stresses_fall_where_singers_hear_them(language: str) -> None:
    found = total = 0
    for line in load_lines(language):
        syllables = split_line(line.text, language)
        if len(syllables) == len(line.stresses):
            pairs = list(zip(syllables, line.stresses, strict=True))
            found += sum(s.stressed for s, stressed in pairs if stressed)
            total += sum(line.stresses)
    assert found >= 0.93 * total


def test_syllables_spell_their_words() -> None:
    text = "".join(s.text for s in split_line("Tomorrow's everlasting fire", "en"))
    assert text == "Tomorrow'severlastingfire"


@pytest.mark.parametrize(
    ("language", "lines", "scheme"),
    [
        ("en", "the old grey mare / the sea / a rocking chair / and me", "ABAB"),
        ("en", "I go alone / into the rain / and throw a stone / away the pain", "ABAB"),
        ("fr", "la mer / le vent / l'hiver / longtemps", "ABAB"),
        ("de", "das Haus / die Nacht / hinaus / die Macht", "ABAB"),
        ("es", "la tarde / el limonero / arde / espero", "ABAB"),
        ("it", "il mare / il cuore / amare / l'amore", "ABAB"),
        ("pt", "o jantar / velho / mastigar / conselho", "ABAB"),
    ],
)
def test_rhymes_are_heard(language: str, lines: str, scheme: str) -> None:
    split = [split_line(line, language) for line in lines.split(" / ")]
    assert rhyme_scheme(split, language) == scheme


def test_the_language_is_found() -> None:
    for language in ("en", "fr", "de", "es", "it"):
        texts = [line.text for line in load_lines(language)]
        blocks = [texts[i : i + 10] for i in range(0, len(texts), 10)]
        assert all(find_language(block) == language for block in blocks)
