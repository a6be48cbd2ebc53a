"""Foreign ABC: every note is kept, or a warning says what is left out.

What abc2midi plays for each tune is stored in ``fixtures/abc/notes.json``. Where abc2midi is
installed, it is asked again; ``UPDATE_SNAPSHOTS=1`` stores its answers.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import NotationError
from scripts.request.imported import build_piece_spec
from scripts.request.request import SongRequest
from scripts.score.abc_piece import read_abc_piece
from scripts.score.piece import MusicTooLargeError, Piece
from scripts.styles.style import Style
from tests.notation import abc2midi

STORED = Path(__file__).parent / "fixtures" / "abc" / "notes.json"
HEAD = "X:1\nM:4/4\nL:1/8\nK:C\n"

# Tunes in which a note was lost, or could be.
TUNES = {
    "a directive": HEAD + "CDEF|GABc|\n%% bar 3\nCDEF|GABc|\n",
    "a comment line": HEAD + "CDEF GABc|\n% the second line\nCDEF GABc|\n",
    "a comment behind notes": HEAD + "CDEF GABc| % CDEF\nc8|\n",
    "a text block with empty lines": HEAD
    + "CDEF GABc|\n%%begintext\nC8|\n\nD8|\n%%endtext\nc8|\n",
    "a PostScript block": HEAD + "C8|\n%%beginps\n/a { b } def | G\n%%endps\nc8|\n",
    "a stylesheet": "%%pagewidth 21cm\n%%begintext\nA|B|\n\n%%endtext\n\n" + HEAD + "C8|D8|\n",
    "continued lines": HEAD + "CDEF \\\nGABc|\\\n%%staves 1\nC8|\n",
    "instruction fields": HEAD + "C8|\nI:setbarnb 4\nD8|[I:staff +1]E8|\n",
    "an inline remark": HEAD + "C4[r:a | remark]D4|\nE8|\n",
    "lyrics": HEAD + "CDEF|\nw:A B C D\nGABc|\nw:e|f\n",
    "fields in the tune": HEAD + "C8|\nN:a note | A\nD8|\nT:Part\nE8|\n",
    "voices line by line": HEAD
    + "[V:1] C4 D4|E8|\n[V:2] C,4 D,4|E,8|\n% 3\n[V:1] F8|\n[V:2] F,8|\n",
    "voices in blocks": "X:1\nM:4/4\nL:1/4\n%%score (1 2)\nV:1 clef=treble\nV:2 clef=bass\nK:G\n"
    "V:1\nF4|G4|\nV:2\nF,4|G,4|\n",
    "free meter": "X:1\nM:none\nL:1/4\nK:Dm\nDEFGA2 GFED3 z AB_c3\n",
    "one endless line": HEAD + "CDEFGABcCDEFGABcCDEFGABc\n",
    "added accidentals": HEAD.replace("K:C", "K:Dphr ^F") + "CDEF GABc|\n",
    "explicit accidentals": HEAD.replace("K:C", "K:D exp _b ^f") + "CDEF GABc|\n",
    "a mode in capitals": HEAD.replace("K:C", "K:EM") + "CDEF GABc|\n",
    "a short minor": HEAD.replace("K:C", "K:Em") + "CDEF GABc|\n",
    "a long minor": HEAD.replace("K:C", "K:Emin") + "CDEF GABc|\n",
    "a long mode": HEAD.replace("K:C", "K:D mixolydian") + "CDEF GABc|\n",
    "pipes": HEAD.replace("K:C", "K:HP") + "CDEF GABc|\n",
    "no key": HEAD.replace("K:C", "K:none") + "CDEF GABc|\n",
    "a key and a clef": HEAD.replace("K:C", "K:Dm clef=treble-8") + "CDEF GABc|\n",
    "changes of key": HEAD + "F8|\nK:D\nF8|[K:Eb]E8|\n",
    "an accidental in every octave": HEAD + "^F2 f2 F,2 z2|F8|\n",
    "a tie over the bar line": HEAD + "^F8-|F4 F4|\n",
    "ties in chords": HEAD + "[C-E]4 [CG]4|[CEG]4-[CEG]4|\n",
    "a tie to another note": HEAD + "C4-D4|C8|\n",
    "invisible bar lines": HEAD + "C8[|]|D8|]E8|\n",
    "repeats": HEAD + "|:C8|D8:|E8::F8:|\n",
    "endings": HEAD + "|:C8|1,3 D8:|2 E8:|4 F8|]\n",
    "endings in brackets": HEAD + "|:C8|[1 D8:|[2 E8|]F8|\n",
    "parts": "X:1\nM:4/4\nL:1/8\nP:(A2B)2\nK:C\nP:A\nC8|\nP:B\nD8|\n",
    "overlays": HEAD + "C4 D4 & E8|F8 & A4 c4 & C8|\n",
    "grace notes": HEAD + "{g}A2 {gfe}A2 {/g}A4|{a}[CE]4 z4|\n",
    "tuplets": HEAD + "(3CDE (3:2:2C2D z2|(5CDEFG (2CD E3|C8|\n",
    "broken rhythm": HEAD + "C>D E<F G>>A B<<c|[CE]>D [CE]2>[DF]2 C2|\n",
    "lengths": HEAD + "C3/2D/ E//F// G/4A/4 B/4c/4 d4|\n",
    "rests": HEAD + "C4 z2 x2|Z2|D8|\n",
    "decorations": HEAD + "!p!C2 !accent!D2 +mf+E2 uF2|vG2 (AB) !f!c4|\n",
    "transposed voices": "X:1\nM:4/4\nL:1/8\nV:1 octave=1\nV:2 transpose=2\nK:C\n"
    "V:1\nC8|\nV:2\nE8|\n",
    "a meter that changes": HEAD + "C8|\nM:3/4\nC6|[M:2/4]C4|\n",
}  # fmt: skip


def notes_of(piece: Piece) -> abc2midi.Notes:
    return abc2midi.align((n.start, n.pitch) for n in piece.notes)


@pytest.fixture(scope="module")
def stored() -> dict[str, list[list[float]]]:
    if os.environ.get("UPDATE_SNAPSHOTS") and abc2midi.PROGRAM:
        played = {name: abc2midi.play(tune) for name, tune in TUNES.items()}
        lines = [f'"{name}": {json.dumps(notes)}' for name, notes in sorted(played.items())]
        STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    found: dict[str, list[list[float]]] = json.loads(STORED.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", TUNES)
def test_a_tune_has_the_notes_that_abc2midi_plays(
    name: str, stored: dict[str, list[list[float]]]
) -> None:
    piece = read_abc_piece(TUNES[name])
    theirs = [(start, int(pitch)) for start, pitch in stored[name]]
    assert abc2midi.count_differences(notes_of(piece), theirs) == 0, (notes_of(piece), theirs)


@pytest.mark.skipif(abc2midi.PROGRAM is None, reason="abc2midi is not installed")
@pytest.mark.parametrize("name", TUNES)
def test_the_stored_notes_are_those_of_abc2midi(
    name: str, stored: dict[str, list[list[float]]]
) -> None:
    played = abc2midi.play(TUNES[name])
    assert played
    theirs = [(start, int(pitch)) for start, pitch in stored[name]]
    assert abc2midi.count_differences(played, theirs) == 0


SAMPLES = sorted(Path("/usr/share/doc").glob("abc*/examples/*.abc"))
# abc2midi starts many grace notes at other times, and does not read accidentals without spaces.
KNOWN = {("newfeatures", "X:5"), ("sample3", "X:6"), ("deco", "X:1"), ("baym_rebin", "X: 63"),
         ("demo", "X: 12")}  # fmt: skip


@pytest.mark.skipif(abc2midi.PROGRAM is None, reason="abc2midi is not installed")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_of_abc_programs_is_read_whole_or_with_a_warning(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    for tune in re.split(r"(?m)^(?=X:)", text)[1:]:
        plain = abc2midi.without_performance(tune)
        try:
            piece = read_abc_piece(plain)
        except NotationError:
            continue
        theirs = abc2midi.play(plain)
        name = (path.stem, tune.split("\n")[0].strip())
        if theirs and not piece.warnings and name not in KNOWN:
            assert abc2midi.count_differences(notes_of(piece), theirs) == 0, name


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        ("C8|\n\nD8|\n", "line 7: an empty line should end a tune, but music follows it"),
        ("C8|(&D8|E8&F8|G8&)|", "line 5: an overlay across bar lines is played after what it"),
        ("C8|h D8|", "line 5: the symbol h is not defined and is left out"),
        ("C8|^/D8|", "line 5: quarter tones are played as the note without accidental"),
        ("%%MIDI drum dzdz 36 38 80 80\nC8|", "line 5: %%MIDI drum is left out"),
        ("%%abc-include more.abc\nC8|", "line 5: other files are not included"),
        ("C8|1 D8|2 E8|", None),
        ("C8|D8||E8|F8:|", "line 5: this repeat has no start; it begins at the last double bar"),
        ("c''''''8|C8|", "line 5: note c''''''8 is out of range and is left out"),
        ("%%begintext\nC8|", "line 5: %%begintext has no %%endtext"),
        ('"G7xyz"C8|', 'line 5: unknown chord symbol "G7xyz"'),
        ('"^text" "N.C."C8|', None),
    ],
)
def test_what_is_not_played_as_written_is_reported_with_its_line(
    body: str, warning: str | None
) -> None:
    found = read_abc_piece(HEAD + body + "\n").warnings
    assert found == () if warning is None else found[0].startswith(warning), found


def test_a_repeat_sign_after_an_invisible_bar_line_is_played() -> None:
    piece = read_abc_piece(HEAD + "|:C8|D8[|]:|E8|\n")
    assert [n.pitch for n in piece.notes] == [60, 62, 60, 62, 64]


def test_a_tie_may_stand_behind_the_bar_line() -> None:
    piece = read_abc_piece(HEAD + "^F8|\n-F8|F8|\n")
    assert [(n.start, n.pitch, n.ticks) for n in piece.notes] == [(0, 66, 192), (192, 65, 96)]


def played(tune: str) -> list[tuple[str, list[tuple[float, int]]]]:
    """Voices with their notes as (quarter, pitch)."""
    return [
        (v.name, [(n.start / 24, n.pitch) for n in v.notes]) for v in read_abc_piece(tune).voices
    ]


def test_the_order_of_parts_holds_for_every_voice() -> None:
    tune = "X:1\nL:1/1\nP:ABA\nK:C\nP:A\nV:1\nC|\nV:2\nE|\nP:B\nV:1\nD|\nV:2\nF|\n"
    assert played(tune) == [
        ("1", [(0, 60), (4, 62), (8, 60)]),
        ("2", [(0, 64), (4, 65), (8, 64)]),
    ]


def test_a_voice_without_bars_is_left_out() -> None:
    tune = "X:1\nP:AB\nV:1\nV:2\nK:C\nP:A\nV:1\nC8|\nP:B\nD8|\nV:2\n"
    assert [name for name, _ in played(tune)] == ["1"]
    with pytest.raises(NotationError, match="no notes"):
        read_abc_piece("X:1\nP:(AB)2\nV:1\nK:C\n")


def test_signs_in_one_voice_count_for_all() -> None:
    tune = HEAD + "V:1\n|:C8:|D8!D.C.!|\nV:2\nE8|F8|\n"
    first, second = played(tune)
    assert [at for at, _ in first[1]] == [at for at, _ in second[1]] == [0, 4, 8, 12, 16]


@pytest.mark.parametrize(
    ("tune", "pitches"),
    [
        ("X:1\nL:1/4\nK:G octave=-1\nG4|\n", [55]),
        ("X:1\nL:1/4\nV:1 transpose=-12\nK:C\nV:1 clef=treble\nC4|\n", [48]),
        ("X:1\nL:1/4\n%%MIDI transpose -12\nV:1\nV:2\nK:C\nV:1\nC4|\nV:2\nE4|\n", [48, 52]),
        ("X:1\nL:1/4\nK:C\n[I:MIDI transpose 12]C4|\n", [72]),
        ("X:1\nL:1/4\nV:1\n+:transpose=-12\nK:C\nV:1\nC4|\n", [48]),
        ("X:1\nL:1/4\nK:C\nV:1\tclef=treble\nC4|\nV:1\nD4|\n", [60, 62]),
        ("X:1\nL:1/4\nK:C\nF4|\n\nK:G\nF4|\n", [65, 66]),
        ("X:1\nL:1/4\nK:C\nF4|\n\nGABc GABc\n", [65, 67, 69, 71, 72, 67, 69, 71, 72]),
        ("X:1\nL:1/4\nK:none ^f\nF4|\n", [66]),
        ("X:1\nL:1/4\nK:Em6\nF4|\n", [66]),
        ("X:1\nL:1/4\nK:C\nC!DE F!|\n", [60, 62, 64, 65]),
        ("X:1\nL:1/4\nK:C\n+eg+4|\n", [76, 79]),
        (HEAD + "%%begintext\nABCD|\n%%endtext % done\nC8|\n", [60]),
    ],
)
def test_every_note_is_kept_at_its_pitch(tune: str, pitches: list[int]) -> None:
    assert [n.pitch for v in read_abc_piece(tune).voices for n in v.notes] == pitches


def test_fields_before_the_first_voice_belong_to_it() -> None:
    piece = read_abc_piece("X:1\nL:1/8\nK:C\nL:1/4\nQ:1/4=200\nV:1\nCDEF|\n")
    assert [n.ticks for n in piece.notes] == [24] * 4
    assert piece.tempo == 200


def test_the_tempo_of_a_tune_counts_before_that_of_the_file() -> None:
    assert read_abc_piece("Q:1/4=100\n\nX:1\nQ:1/4=200\nK:C\nC4|\n").tempo == 200


@pytest.mark.parametrize("tempo", ["1/00=100", "9" * 400 + "/1=100", "9" * 5000, '"dolce"'])
def test_an_odd_tempo_is_left_out(tempo: str) -> None:
    assert read_abc_piece(f"X:1\nQ:{tempo}\nK:C\n[Q:{tempo}]C4|\n").notes


def test_every_problem_of_a_line_is_reported() -> None:
    found = read_abc_piece(HEAD + "hC8|c''''''8D8|^/E8{g}|\n").warnings
    assert len(found) == 4
    assert all(line.startswith("line 5: ") for line in found)


def test_a_bar_may_have_ten_thousand_notes() -> None:
    assert len(read_abc_piece("X:1\nM:none\nK:C\n" + "C" * 9_999 + "\n").notes) == 9_999


def test_music_before_the_key_is_reported() -> None:
    piece = read_abc_piece("X:1\nCDEF|GABc|\nK:C\nC8|\n")
    assert piece.warnings == ("line 2: this line is before the K: field and is left out",)


def test_text_between_tunes_is_no_music() -> None:
    piece = read_abc_piece(HEAD + "C8|]\n\nSee the next page | for more.\n\nX:2\nK:C\nD8|\n")
    assert len(piece.notes) == 1
    assert piece.warnings == ("the file has 2 tunes; only the first is played",)


def test_bars_of_free_music_follow_the_requested_meter(styles: dict[str, Style]) -> None:
    piece = read_abc_piece("X:1\nM:none\nL:1/4\nK:C\n" + "CDEFGA" * 4 + "\n")
    assert len(piece.notes) == 24
    assert "M:none" in piece.warnings[0]
    built = build_piece_spec(piece, SongRequest("plain", length="", meter="3/4"), styles, 1)
    assert str(built.piece.meter) == "3/4"
    assert built.piece.bar_count == 8
    assert built.piece.notes == piece.notes


@pytest.mark.parametrize(
    ("body", "pitches"),
    [
        ("C8|D8!fine!|E8!D.C.!|", [60, 62, 64, 60, 62]),
        ("C8|!segno!D8|!coda!E8|F8!D.S.!|!coda!G8|]", [60, 62, 64, 65, 62, 64, 67]),
        ("|:C8:|D8!fine!|E8!D.C.!|", [60, 60, 62, 64, 60, 62]),
    ],
)
def test_da_capo_and_dal_segno_are_played(body: str, pitches: list[int]) -> None:
    assert [n.pitch for n in read_abc_piece(HEAD + body + "\n").notes] == pitches


def test_a_pickup_and_a_bar_divided_by_a_bar_line_keep_their_place() -> None:
    piece = read_abc_piece(HEAD + "G2|C8|D6:|\n|:A2|E4|F4|G6:|\n")
    assert piece.warnings == ()
    assert [n.start for n in piece.notes if n.pitch == 60] == [96, 288]
    assert piece.bar_count == 9


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "C" * 20_000 + "|\n",
        HEAD + "".join(f"V:{n}\nC8|\n" for n in range(100_000)),
        HEAD + "[CEG" * 500_000,
        HEAD + "C|" * 1_000_000,
        HEAD + "{g}" * 500_000 + "C8|",
        HEAD + "z" * 2_000_000,
        HEAD + "".join(f"V:{n}\nZ2000|Z2000|\n" for n in range(400)),
        "X:1\nP:A\nK:C\n" + "P:A\nC8|\n" * 5_000,
    ],
    ids=["notes", "voices", "open chords", "bars", "graces", "rests", "bars of rest", "parts"],
)
def test_music_without_measure_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(MusicTooLargeError):
        read_abc_piece(text)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "X:1\n|" + '"A"' * 40 + "h\nK:C\nC8|\n",
        HEAD + ("C8|" * 7 + "C6|") * 2400,
        HEAD + "|1C8:" * 19_000,
        HEAD + "C8|[1 " + "C8|" * 18_000 + "!D.C.!C8|",
        "X:1\nP:" + "A0" * 20_000 + "\nK:C\nC8|\n",
        HEAD + "[K:D]" * 100_000 + "C8|",
    ],
    ids=["quotes", "short bars", "endings", "da capo", "order of parts", "keys"],
)
def test_odd_music_is_read_in_time(text: str) -> None:
    started = time.process_time()
    assert read_abc_piece(text).notes
    assert time.process_time() - started < 5


def test_repeats_are_limited() -> None:
    piece = read_abc_piece(HEAD + "|" + ":" * 30_000 + "C8" + ":" * 30_000 + "|\n")
    assert len(piece.notes) == 500
    assert "repeats that make the music longer than 500 bars are left out" in piece.warnings[0]


_LINES = st.lists(
    st.sampled_from(
        ["C2E2G2c2|", "|:CDEF GABc:|", "%%begintext", "%%endtext", "% x|y", "%%MIDI program 3",
         "I:setbarnb 2", "[V:2]C8|", "V:3 clef=bass", "M:3/4", "[K:Dphr ^F]", "P:B", "w:a b|c",
         "", "C4\\", "(3CDE {g}A2|", "[1 C8:|[2 D8|]", "C4 & E4|", "[CEG]>[CEG]|", "Z3|", "$!*",
         "[r:x]", "m:~n=n", "U:W=!trill!", "K:", "Q:1/4=200", "^/F_3/4G|", '"Am"A8|', "+CEG+4|",
         "!D.C.!|", "L:1/16", "text of no use", "X:2", "|::C8::|", "%%propagate-accidentals not"]
    ),
    max_size=25,
)  # fmt: skip


@given(_LINES)
def test_any_lines_are_read_or_rejected(lines: list[str]) -> None:
    try:
        piece = read_abc_piece(HEAD + "\n".join(lines) + "\n")
    except NotationError:
        return
    assert piece.notes
    assert all(n.ticks > 0 and n.start >= 0 for n in piece.notes)


@given(_LINES)
def test_comments_and_directives_change_no_note(lines: list[str]) -> None:
    kept = [line for line in lines if line and not line.startswith(("%%", "X:"))]
    spaced = [text for line in kept for text in (line, "% C8|D8|", "%%text C8|D8|")]
    found = []
    for version in (kept, spaced):
        try:
            found.append(notes_of(read_abc_piece(HEAD + "C8|\n" + "\n".join(version) + "\n")))
        except NotationError:
            found.append([])
    assert found[0] == found[1]
