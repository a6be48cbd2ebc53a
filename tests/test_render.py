"""Imported notes: ABC, MIDI and MusicXML files are read, arranged and rendered."""

from __future__ import annotations

import io
import signal
import subprocess
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.arranger.imported import ImportedArrangement, arrange_piece, load_programs
from scripts.core import paths
from scripts.core.errors import MusicGenError, NotationError, UsageError
from scripts.core.interrupts import interrupt_at_once
from scripts.exports.midi import write_midi
from scripts.request.imported import build_piece_spec
from scripts.request.request import SongRequest
from scripts.score.open_piece import open_piece
from scripts.score.piece import Piece, find_key, pitch_class_weights
from scripts.styles.style import Style
from scripts.synth.instruments import load_instruments
from scripts.synth.loudness import SILENCE, gated_loudness
from scripts.synth.render import render
from scripts.synth.tone import BAND_CENTERS, fit_equalizer

INSTRUMENTS = load_instruments(paths.DATA / "instruments")
OCTAVES = {name: i.octave for name, i in INSTRUMENTS.items()}
JIG = """X:1
T:The Test Jig
C:Nobody
M:6/8
L:1/8
K:G
D|:"G"GAG GAB|"D"ABA ABd|"G"edd gdd|1 "D"AGF "G"G2D:|2 "D"AGF "G"G3|]
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


def write_file(tmp_path: Path, name: str, data: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def arrange_in_style(
    piece: Piece, styles: dict[str, Style], style: str, **options: object
) -> ImportedArrangement:
    built = build_piece_spec(piece, SongRequest(style, **{"length": "", **options}), styles, 5)  # type: ignore
    return arrange_piece(built.spec, built.piece, paths.DATA, OCTAVES)


def count_notes(arrangement: ImportedArrangement, *roles: str) -> Counter[tuple[float, int]]:
    """Count the notes of some tracks by (quarter, sounding pitch)."""
    found: Counter[tuple[float, int]] = Counter()
    for section in arrangement.sections():
        for role, events in section.tracks.items():
            if role in roles or not roles:
                track = arrangement.tracks[role].instrument
                shift = 0 if INSTRUMENTS[track].is_kit else 12 * OCTAVES[track]
                found.update((round(e.start / 24, 2), e.pitch + shift) for e in events)
    return found


def midi(*tracks: list[mido.Message], **more: object) -> bytes:
    file = mido.MidiFile(type=1, ticks_per_beat=480, **more)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def note(
    key: int, length: int, channel: int = 0, velocity: int = 90, wait: int = 0
) -> list[mido.Message]:
    return [
        mido.Message("note_on", note=key, velocity=velocity, channel=channel, time=wait),
        mido.Message("note_off", note=key, channel=channel, time=length),
    ]


# --- ABC


def test_repeats_endings_and_pickup_of_an_abc_file_are_read(tmp_path: Path) -> None:
    piece = open_piece(write_file(tmp_path, "jig.abc", JIG))
    assert piece.warnings == ()
    assert len(piece.notes) == 1 + 2 * 21 + 2 + 1
    assert piece.notes[0].start == 60  # the pickup ends on the first bar line
    assert piece.notes[1].start == 72
    assert piece.bar_count == 9
    assert [round(t / 72, 1) for t, _ in piece.chords][:4] == [1.0, 2.0, 3.0, 4.0]


def test_every_voice_and_chord_of_an_abc_file_is_read(tmp_path: Path) -> None:
    piece = open_piece(
        write_file(
            tmp_path,
            "two.abc",
            ("X:1\nM:4/4\nL:1/4\nK:F\nV:1\n[FAc]2 (3c/B/A/ G|F4|]\nV:2\nF,,4|F,,4|]\n"),
        )
    )
    assert [len(v.notes) for v in piece.voices] == [8, 2]
    assert {n.pitch for n in piece.voices[0].notes if n.start == 0} == {65, 69, 72}
    assert piece.voices[1].notes[0].pitch == 41


def test_an_abc_file_with_errors_is_read_and_the_lines_are_reported(tmp_path: Path) -> None:
    piece = open_piece(
        write_file(
            tmp_path,
            "faults.abc",
            ("X:1\nM:4/4\nL:1/8\nK:C\nC2E2G2c2|C2E2G2|\nC2 § E2G2c2|\nC2E2G2c2e2|C8|]\n"),
        )
    )
    assert [r.split(":")[0] for r in piece.warnings] == ["line 5", "line 6", "line 7"]
    assert "2 eighths too short" in piece.warnings[0]
    assert len(piece.notes) == 4 + 3 + 4 + 5 + 1
    assert "'§'" in piece.warnings[1]
    assert "2 eighths too long" in piece.warnings[2]
    assert piece.bar_count == 6
    assert all(n.start % 96 == 0 for n in piece.notes if n.pitch == 60)


@pytest.mark.parametrize("text", ["X:1\nT:no key\nCDEF|", "X:1\nK:C\n|z8|", "just words", ""])
def test_a_file_without_a_tune_is_rejected_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotationError) as error:
        open_piece(write_file(tmp_path, "none.abc", text))
    assert "none.abc" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        (
            "(5CDEFG C2 C4|",
            [
                (0, 60, 4.8),
                (4.8, 62, 4.8),
                (9.6, 64, 4.8),
                (14.4, 65, 4.8),
                (19.2, 67, 4.8),
                (24, 60, 24),
                (48, 60, 48),
            ],
        ),
        ("[CE]8-|[CE]8|", [(0, 60, 192), (0, 64, 192)]),
        ("[EG]4-[CG]4|", [(0, 64, 48), (0, 67, 96), (48, 60, 48)]),
        ("^F8-|F8|", [(0, 66, 192)]),
        ("C/8D/8E/4F/2 G7|", [(0, 60, 1.5), (1.5, 62, 1.5), (3, 64, 3), (6, 65, 6), (12, 67, 84)]),
        ("G:|A8|", [(84, 67, 12), (180, 67, 12), (192, 69, 96)]),
    ],
)
def test_unusual_lengths_tied_chords_and_accidentals_are_read(
    body: str, notes: list[tuple[float, int, float]], tmp_path: Path
) -> None:
    piece = open_piece(write_file(tmp_path, "a.abc", f"X:1\nM:4/4\nL:1/8\nK:C\n{body}\n"))
    assert [(round(n.start, 3), n.pitch, round(n.ticks, 3)) for n in piece.notes] == notes


def test_an_unusual_header_is_read_as_far_as_possible(tmp_path: Path) -> None:
    piece = open_piece(write_file(tmp_path, "a.abc", "X:1\nM:2+3/8\nL:1/8\nK:D exp _b\nABcde|]\n"))
    assert str(piece.meter) == "5/8"
    assert str(piece.key) == "D minor"
    free = open_piece(write_file(tmp_path, "b.abc", "X:1\nM:none\nK:D\nABcd|]\n"))
    assert str(free.meter) == "4/4"
    assert "none" in free.warnings[0]


def test_many_errors_and_huge_numbers_are_handled_quickly(tmp_path: Path) -> None:
    text = "X:1\nL:1/8\nK:C\nCDEF|\n" + "@ foo\n" * 20_000 + "C" + "9" * 5000 + "|\nZ" + "9" * 5000
    piece = open_piece(write_file(tmp_path, "bad.abc", text))
    assert piece.warnings[0] == "line 5: '@' is not ABC and is left out (and 19,999 more lines)"


@given(st.text(alphabet="abcdefgABCz|:[]\"()^_=,'/0123456789-<>& \nKMLVP%", max_size=150))
def test_any_abc_is_read_or_rejected(text: str) -> None:
    from scripts.score.abc_piece import read_abc_piece

    try:
        piece = read_abc_piece("X:1\nM:4/4\nL:1/8\nK:C\n" + text)
    except NotationError:
        return
    assert piece.notes
    assert all(n.ticks > 0 and n.start >= 0 for n in piece.notes)


# --- MIDI


def test_a_midi_file_keeps_its_notes_programs_and_drums(tmp_path: Path) -> None:
    data = midi(
        [
            mido.MetaMessage("set_tempo", tempo=500_000),
            mido.MetaMessage("time_signature", numerator=3, denominator=4),
        ],
        [mido.Message("program_change", program=73), *note(72, 480), *note(74, 960)],
        [*note(36, 240, 9), *note(38, 240, 9, wait=480)],
    )
    piece = open_piece(write_file(tmp_path, "a.mid", data))
    flute, drums = piece.voices
    assert (flute.program, [(n.start, n.ticks, n.pitch) for n in flute.notes]) == (
        73,
        [(0, 24, 72), (24, 48, 74)],
    )
    assert drums.is_kit
    assert [n.pitch for n in drums.notes] == [36, 38]
    assert str(piece.meter) == "3/4"
    assert piece.tempo == 120
    assert piece.is_played


def test_the_sustain_pedal_extends_notes_and_hanging_notes_end(tmp_path: Path) -> None:
    data = midi(
        [
            mido.Message("control_change", control=64, value=127),
            *note(60, 240),
            mido.Message("control_change", control=64, value=0, time=720),
            mido.Message("note_on", note=64, velocity=80),
            mido.Message("note_on", note=67, velocity=0, time=480),
        ]
    )
    piece = open_piece(write_file(tmp_path, "pedal.mid", data))
    assert [(n.pitch, n.ticks) for n in piece.notes] == [(60, 48), (64, 24)]


def test_the_plain_style_keeps_every_note_at_its_time(
    tmp_path: Path, styles: dict[str, Style]
) -> None:
    data = midi(
        [
            mido.MetaMessage("set_tempo", tempo=500_000),
            mido.MetaMessage("set_tempo", tempo=1_000_000, time=960),
        ],
        [x for k in range(8) for x in note(60 + k, 480)],
    )
    piece = open_piece(write_file(tmp_path, "slower.mid", data))
    plain = arrange_in_style(piece, styles, "plain")
    seconds = sorted(q * 60 / plain.tempo for q, _ in count_notes(plain))
    assert np.allclose(seconds, [0, 0.5, 1, 2, 3, 4, 5, 6], atol=0.02)
    assert set(plain.tracks) <= {"melody", "voice1"}
    styled = build_piece_spec(piece, SongRequest("pop", length=""), styles, 1)
    assert any("steady" in note for note in styled.spec.warnings)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("no notes.mid", midi([mido.MetaMessage("set_tempo", tempo=500_000)])),
        ("cut.mid", midi(note(60, 480))[:30]),
        ("head.mid", b"MThd"),
        ("frames.mid", b"MThd\0\0\0\6\0\0\0\1\xe7\x28MTrk\0\0\0\4\0\xff\x2f\0"),
    ],
)
def test_an_invalid_midi_file_is_rejected(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(NotationError, match=name):
        open_piece(write_file(tmp_path, name, data))


def test_a_huge_file_is_rejected_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.mid"
    with path.open("wb") as file:
        file.write(b"MThd")
        file.truncate(200 << 20)
    with pytest.raises(UsageError, match="the limit is 8 MB"):
        open_piece(path)


_VALID_MIDI = midi(
    [mido.MetaMessage("key_signature", key="F#m"), *note(60, 480), *note(64, 480)],
    [mido.Message("program_change", program=40, channel=1), *note(48, 960, 1)],
)


def test_key_signature_and_unicode_title_of_a_midi_file_are_read(tmp_path: Path) -> None:
    data = midi(
        [
            mido.MetaMessage("track_name", name="Café Ünï"),
            mido.MetaMessage("key_signature", key="G"),
        ],
        note(74, 480),
        charset="utf-8",
    )
    piece = open_piece(write_file(tmp_path, "a.mid", data))
    assert str(piece.key) == "G major"
    assert piece.title == "Café Ünï"


def test_a_midi_file_of_no_length_is_rejected(tmp_path: Path) -> None:
    data = midi([mido.MetaMessage("set_tempo", tempo=1), *note(60, 480), *note(64, 480)])
    with pytest.raises(NotationError, match="lasts 2e-06 s; its tempo or time division is damaged"):
        open_piece(write_file(tmp_path, "fast.mid", data))


def test_an_absurd_tempo_keeps_the_notes_at_their_second(
    tmp_path: Path, styles: dict[str, Style]
) -> None:
    data = midi(
        [
            *note(60, 480),
            mido.MetaMessage("set_tempo", tempo=1),
            *note(62, 480_000),
            mido.MetaMessage("set_tempo", tempo=500_000),
            *note(64, 480),
        ]
    )
    piece = open_piece(write_file(tmp_path, "leap.mid", data))
    built = build_piece_spec(piece, SongRequest("plain", length=""), styles, 1).piece
    assert [round(n.start / 24 * 60 / built.tempo, 2) for n in built.notes] == [0, 0.5, 0.5]
    assert all(n.ticks > 0 for n in built.notes)


@pytest.mark.filterwarnings("error")
def test_a_song_in_which_nothing_can_be_heard_is_no_song() -> None:
    curve = fit_equalizer(np.zeros(len(BAND_CENTERS)))
    assert set(curve.gains) == {0.0}
    assert gated_loudness(np.zeros(8)) == SILENCE


def test_a_tempo_change_before_the_first_note_applies(tmp_path: Path) -> None:
    data = midi(
        [
            mido.MetaMessage("set_tempo", tempo=500_000),
            mido.MetaMessage("set_tempo", tempo=1_000_000, time=1920),
        ],
        note(60, 480, wait=1920),
    )
    assert open_piece(write_file(tmp_path, "a.mid", data)).tempo == 60


@given(st.lists(st.tuples(st.integers(0, len(_VALID_MIDI) - 1), st.integers(0, 255)), max_size=6))
def test_any_damaged_midi_file_is_read_or_rejected(changes: list[tuple[int, int]]) -> None:
    from scripts.score.midi_piece import read_midi_piece

    data = bytearray(_VALID_MIDI)
    for at, value in changes:
        data[at] = value
    try:
        piece = read_midi_piece(bytes(data))
    except NotationError:
        return
    assert all(0 <= n.pitch <= 127 and n.ticks > 0 for v in piece.voices for n in v.notes)


# --- MusicXML


_XML = """<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="4.0"><movement-title>Round</movement-title>
<part-list><score-part id="P1"><part-name>Flute</part-name></score-part></part-list><part id="P1">
<measure number="0" implicit="yes"><attributes><divisions>6</divisions><key><fifths>1</fifths>
<mode>major</mode></key><time><beats>3</beats><beat-type>4</beat-type></time></attributes>
<direction><direction-type><metronome><beat-unit>quarter</beat-unit><per-minute>90</per-minute>
</metronome></direction-type><sound tempo="90"/></direction>
<note><pitch><step>D</step><octave>5</octave></pitch><duration>6</duration></note></measure>
<measure number="1"><barline location="left"><repeat direction="forward"/></barline>
<harmony><root><root-step>G</root-step></root><kind>major</kind></harmony>{triplet}
<note><pitch><step>B</step><octave>4</octave></pitch><duration>12</duration></note>
<barline location="right"><repeat direction="backward"/></barline></measure>
<measure number="2"><note><pitch><step>G</step><octave>4</octave></pitch><duration>18</duration>
</note></measure></part></score-partwise>""".format(
    triplet="".join(
        f"<note><pitch><step>{s}</step><octave>5</octave></pitch><duration>2</duration>"
        "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes>"
        "</time-modification></note>"
        for s in "GAB"
    )
)


def test_repeats_pickups_and_tuplets_of_musicxml_are_read(tmp_path: Path) -> None:
    piece = open_piece(write_file(tmp_path, "round.musicxml", _XML))
    assert [(n.start, n.pitch) for n in piece.notes] == [
        (48, 74),
        (72, 79),
        (80, 81),
        (88, 83),
        (96, 71),
        (144, 79),
        (152, 81),
        (160, 83),
        (168, 71),
        (216, 67),
    ]
    assert (str(piece.key), str(piece.meter), piece.tempo) == ("G major", "3/4", 90)
    assert piece.chords
    assert piece.chords[0][0] == 72


def test_a_compressed_score_is_the_same_piece(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("score.xml", _XML)
    assert open_piece(write_file(tmp_path, "a.mxl", packed.getvalue())) == open_piece(
        write_file(tmp_path, "a.musicxml", _XML)
    )


@pytest.mark.parametrize(
    "data",
    [
        "<score-partwise/>",
        "<html><body>no</body></html>",
        _XML[:900],
        "<",
        b"PK\3\4 no archive",
        _XML.replace("<step>", "<stop>"),
    ],
)
def test_an_invalid_score_is_rejected(tmp_path: Path, data: str | bytes) -> None:
    with pytest.raises(NotationError, match="bad"):
        open_piece(write_file(tmp_path, "bad.musicxml", data))


@pytest.mark.parametrize(
    "container",
    [
        "<container><rootfiles><rootfile full-path='You're the Top.xml'></rootfile></rootfiles>",
        '<container><rootfiles><rootfile full-path="You&apos;re the Top.xml"/></rootfiles>',
        "<rootfile full-path='gone.xml'/><rootfile full-path='You're the Top.xml' media-type='x'/>",
    ],
)
def test_an_archive_with_a_damaged_container_is_opened(tmp_path: Path, container: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("A draft.xml", _XML[:300])  # first by name, but not named
        archive.writestr("You're the Top.xml", _XML)
    piece = open_piece(write_file(tmp_path, "top.mxl", packed.getvalue()))
    assert len(piece.notes) == 10


def test_repeats_of_a_score_are_limited(tmp_path: Path) -> None:
    text = _XML.replace('direction="backward"', 'direction="backward" times="1000000"')
    piece = open_piece(write_file(tmp_path, "many.musicxml", text))
    assert piece.bar_count == 501
    assert "repeats that make the music longer than 500 bars are left out" in piece.warnings[0]


@pytest.mark.parametrize(
    ("marks", "bars"),
    [
        ({2: "end 1 repeat", 3: "end 2"}, [1, 2, 1, 3, 4]),
        ({2: "end 1", 3: "end 2"}, [1, 2, 1, 3, 4]),
        ({1: "start", 2: "end 1 repeat", 3: "end 3"}, [1, 2, 1, 3, 4]),
        ({1: "repeat", 2: "start", 4: "repeat"}, [1, 1, 2, 3, 4, 2, 3, 4]),
        ({2: "fine", 4: "D.C. al Fine"}, [1, 2, 3, 4, 1, 2]),
        ({1: "start repeat", 2: "fine", 4: "D.C. al Fine"}, [1, 1, 2, 3, 4, 1, 2]),
        ({2: "segno", 4: "D.S."}, [1, 2, 3, 4, 2, 3, 4]),
    ],
)
def test_a_score_is_played_in_the_order_of_its_signs(
    marks: dict[int, str], bars: list[int], tmp_path: Path
) -> None:
    piece = open_piece(write_file(tmp_path, "order.musicxml", _score_with_marks(marks)))
    assert [n.pitch - 59 for n in piece.notes] == bars


def _score_with_marks(marks: dict[int, str]) -> str:
    """Score of four bars, with the pitches 60 to 63."""
    measures = []
    for number, (step, alter) in enumerate([("C", 0), ("C", 1), ("D", 0), ("D", 1)], 1):
        mark = marks.get(number, "")
        ending = f'<ending number="{mark[4]}" type="{{}}"/>' if mark.startswith("end") else ""
        left = ending.format("start") + '<repeat direction="forward"/>' * ("start" in mark)
        right = ending.format("stop") + '<repeat direction="backward"/>' * ("repeat" in mark)
        words = {"fine": "Fine", "D.C. al Fine": mark, "D.S.": "D.S."}.get(mark, "")
        direction = f"<words>{words}</words>" if words else "<segno/>" if mark == "segno" else ""
        measures.append(
            f'<measure number="{number}"><attributes><divisions>1</divisions></attributes>'
            + f'<barline location="left">{left}</barline>' * bool(left)
            + f"<direction><direction-type>{direction}</direction-type></direction>"
            * bool(direction)
            + f"<note><pitch><step>{step}</step><alter>{alter}</alter><octave>4</octave></pitch>"
            "<duration>4</duration></note>"
            + f'<barline location="right">{right}</barline>' * bool(right)
            + "</measure>"
        )
    return (
        '<score-partwise><part-list><score-part id="P1"><part-name>A</part-name></score-part>'
        f'</part-list><part id="P1">{"".join(measures)}</part></score-partwise>'
    )


def test_an_archive_without_a_usable_container_is_opened(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", "no XML at all")
        archive.writestr("score.xml", _XML)
    assert len(open_piece(write_file(tmp_path, "a.mxl", packed.getvalue())).notes) == 10


def test_parts_with_bars_of_unequal_length_stay_together(tmp_path: Path) -> None:
    def part(number: int, *bars: str) -> str:
        measures = "".join(
            f'<measure number="{n}"><attributes><divisions>1</divisions></attributes>'
            + "".join(
                f"<note><pitch><step>{s}</step><octave>4</octave></pitch><duration>1</duration></note>"
                for s in steps
            )
            + "</measure>"
            for n, steps in enumerate(bars, 1)
        )
        return f'<part id="P{number}">{measures}</part>'

    names = "".join(f'<score-part id="P{n}"><part-name>A</part-name></score-part>' for n in (1, 2))
    text = (
        f"<score-partwise><part-list>{names}</part-list>{part(1, 'CD', 'EFGA')}"
        f"{part(2, 'GABC', 'DEFG')}</score-partwise>"
    )
    piece = open_piece(write_file(tmp_path, "two.musicxml", text))
    assert [n.start for n in piece.voices[0].notes] == [0, 24, 96, 120, 144, 168]
    assert [n.start for n in piece.voices[1].notes] == [0, 24, 48, 72, 96, 120, 144, 168]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<per-minute>90<", "<per-minute>0<"),
        ("<root><root-step>G</root-step></root>", "<function>V</function>"),
        ("<duration>18<", "<duration>-4<"),
        ("<octave>5<", "<octave>99<"),
    ],
)
def test_odd_values_of_a_score_cost_no_other_note(old: str, new: str, tmp_path: Path) -> None:
    piece = open_piece(write_file(tmp_path, "odd.musicxml", _XML.replace(old, new, 1)))
    assert len(piece.notes) >= 8
    assert all(n.start >= 0 and n.ticks > 0 for n in piece.notes)


def test_an_ending_with_millions_of_numbers_takes_little_time(tmp_path: Path) -> None:
    ending = '<barline location="right"><ending number="1-100000000" type="start"/>'
    text = _XML.replace('<barline location="right">', ending)
    started = time.process_time()
    open_piece(write_file(tmp_path, "endings.musicxml", text))
    assert time.process_time() - started < 5


def test_a_da_capo_that_only_sounds_is_played(tmp_path: Path) -> None:
    text = _score_with_marks({2: "fine"}).replace(
        "</note></measure></part>", '</note><sound dacapo="yes"/></measure></part>'
    )
    piece = open_piece(write_file(tmp_path, "dacapo.musicxml", text))
    assert [n.pitch - 59 for n in piece.notes] == [1, 2, 3, 4, 1, 2]


def test_abc_in_utf_16_is_read(tmp_path: Path) -> None:
    text = "X:1\nT:Größe\nK:C\nCDEF|\n"
    assert open_piece(write_file(tmp_path, "a.abc", text.encode("utf-16"))).title == "Größe"


def test_grace_notes_of_a_score_are_played_before_their_note(tmp_path: Path) -> None:
    grace = "<note><grace/><pitch><step>E</step><octave>5</octave></pitch></note>"
    text = _XML.replace(
        "<note><pitch><step>B</step><octave>4", grace + "<note><pitch><step>B</step><octave>4"
    )
    notes = open_piece(write_file(tmp_path, "grace.musicxml", text)).notes
    assert [(n.start, n.ticks, n.pitch) for n in notes[4:6]] == [(96, 3, 76), (99, 45, 71)]


def test_ctrl_c_stops_the_reading_of_a_file_at_once() -> None:
    def stop(*_: object) -> None:
        raise AssertionError("the handler of the batch was called")

    before = signal.signal(signal.SIGINT, stop)
    try:
        with pytest.raises(KeyboardInterrupt), interrupt_at_once():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is stop
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_transposing_part_is_read_at_sounding_pitch(tmp_path: Path) -> None:
    text = _XML.replace(
        "</time></attributes>",
        "</time><transpose><diatonic>-1</diatonic><chromatic>-2"
        "</chromatic></transpose></attributes>",
    )
    assert open_piece(write_file(tmp_path, "bb.musicxml", text)).notes[0].pitch == 72


@pytest.mark.parametrize(
    "head",
    [
        '<?xml version="1.0" encoding="foo"?>',
        '<?xml version="1.0" encoding="shift_jis"?>',
        "<a>" * 200_000,
    ],
)
def test_invalid_xml_documents_are_rejected(head: str, tmp_path: Path) -> None:
    with pytest.raises(NotationError, match="MusicXML"):
        open_piece(write_file(tmp_path, "odd.musicxml", head + "<score-partwise/>"))


@given(st.integers(0, len(_XML) - 1), st.text(max_size=8))
def test_any_damaged_score_is_read_or_rejected(at: int, text: str) -> None:
    from scripts.score.xml_piece import read_xml_piece

    try:
        read_xml_piece((_XML[:at] + text + _XML[at + len(text) :]).encode())
    except NotationError as error:
        assert "\n" not in str(error)


# --- the arrangement


@pytest.mark.parametrize("style", ["plain", "jazz", "dubstep", "waltz", "ambient"])
def test_imported_notes_stay_unchanged(
    style: str, tmp_path: Path, styles: dict[str, Style]
) -> None:
    piece = open_piece(write_file(tmp_path, "jig.abc", JIG))
    song = arrange_in_style(piece, styles, style)
    assert count_notes(song, "melody") == Counter(
        (round(n.start / 24, 2), n.pitch) for n in piece.notes
    )
    others = set().union(*(s.tracks for s in song.sections())) - {"melody"}
    assert others == set() if style == "plain" else {"chords", "bass"} <= others


def test_roles_that_a_file_contains_are_not_doubled(
    tmp_path: Path, styles: dict[str, Style]
) -> None:
    data = midi(
        [x for _ in range(8) for x in note(72, 480)],
        [x for _ in range(8) for x in note(36, 480, 1)],
        [x for _ in range(16) for x in note(38, 240, 9)],
    )
    song = arrange_in_style(open_piece(write_file(tmp_path, "band.mid", data)), styles, "rock")
    assert sum(count_notes(song, "drums").values()) == 16
    assert sum(count_notes(song, "bass").values()) == 8
    assert count_notes(song, "chords")


@pytest.mark.parametrize(
    ("options", "repetitions", "seconds"),
    [({}, 1, None), ({"length": "2"}, 9, None), ({"loop": True, "length": "1"}, 4, 54.0)],
)
def test_a_piece_is_repeated_a_whole_number_of_times(
    options: dict[str, object],
    repetitions: int,
    seconds: float | None,
    tmp_path: Path,
    styles: dict[str, Style],
) -> None:
    piece = open_piece(write_file(tmp_path, "jig.abc", JIG))
    for style in ("folk", "plain"):
        song = arrange_in_style(piece, styles, style, **options)
        assert sum(count_notes(song, "melody").values()) == repetitions * len(piece.notes)
        assert song.spec.bars == repetitions * piece.bar_count
        assert seconds is None or song.length == pytest.approx(seconds)


def test_a_length_below_one_repetition_gives_a_warning(
    tmp_path: Path, styles: dict[str, Style]
) -> None:
    piece = open_piece(write_file(tmp_path, "jig.abc", JIG))
    built = build_piece_spec(piece, SongRequest("pop", length="0.17"), styles, 1)
    assert built.spec.bars == 5
    assert any("5 of its 9 bars" in n for n in built.spec.warnings)


@pytest.mark.parametrize("style", ["pop", "jazz", "dubstep", "waltz", "ambient", "plain"])
def test_inner_voices_are_played_beside_the_style(
    style: str, tmp_path: Path, styles: dict[str, Style]
) -> None:
    piece = open_piece(
        write_file(
            tmp_path,
            "trio.abc",
            (
                "X:1\nM:4/4\nL:1/4\nK:F\nV:1\nf4|g4|a4|f4|]\nV:2\nc2 A2|c2 B2|c4|A4|]\n"
                "V:3\nF,,4|C,4|F,,4|F,,4|]\n"
            ),
        )
    )
    song = arrange_in_style(piece, styles, style, loop=True)
    imported = [name for name in song.tracks if name in song.voices]
    assert len(imported) == 3
    assert count_notes(song, *imported) == Counter(
        (round(n.start / 24, 2), n.pitch) for n in piece.notes
    )


def test_a_file_with_only_drums_has_no_melody(tmp_path: Path, styles: dict[str, Style]) -> None:
    data = midi([x for _ in range(8) for x in note(38, 480, 9)])
    song = arrange_in_style(open_piece(write_file(tmp_path, "drums.mid", data)), styles, "jazz")
    assert INSTRUMENTS[song.tracks["drums"].instrument].is_kit
    assert "melody" not in song.voices


def test_a_major_piece_requested_in_minor_stays_major_with_a_warning(
    tmp_path: Path, styles: dict[str, Style]
) -> None:
    piece = open_piece(write_file(tmp_path, "jig.abc", JIG))
    built = build_piece_spec(piece, SongRequest("pop", length="", key="F minor"), styles, 1)
    assert str(built.spec.key) == "F major"
    assert any("major" in n for n in built.spec.warnings)


def test_the_requested_key_transposes_every_note(tmp_path: Path, styles: dict[str, Style]) -> None:
    piece = open_piece(write_file(tmp_path, "jig.abc", JIG))
    song = arrange_in_style(piece, styles, "plain", key="A major")
    assert count_notes(song) == Counter((round(n.start / 24, 2), n.pitch + 2) for n in piece.notes)


def test_the_key_is_detected_when_the_file_has_none(tmp_path: Path) -> None:
    scale = [57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57, 64, 57]
    piece = open_piece(
        write_file(tmp_path, "a.mid", midi([x for k in scale for x in note(k, 480)]))
    )
    assert str(piece.key) == "A minor" == str(find_key(pitch_class_weights(piece.notes)))


def test_every_program_has_an_instrument() -> None:
    programs, kit = load_programs(paths.DATA / "general_midi.toml")
    assert set(programs) <= set(INSTRUMENTS)
    assert INSTRUMENTS[kit].is_kit


def test_many_voices_over_the_whole_keyboard_are_played_and_exported(
    tmp_path: Path, styles: dict[str, Style]
) -> None:
    tracks = [
        [
            mido.Message("program_change", program=5 * n, channel=n % 9),
            *note(0, 480, n % 9),
            *note(127, 480, n % 9),
        ]
        for n in range(25)
    ]
    song = arrange_in_style(
        open_piece(write_file(tmp_path, "wide.mid", midi(*tracks))), styles, "plain"
    )
    assert len(song.tracks) == 24
    sound = np.concatenate(list(render(song, INSTRUMENTS)))
    assert np.isfinite(sound).all()
    assert 0.01 < np.abs(sound).max() < 1
    write_midi(tmp_path / "out.mid", song, INSTRUMENTS, "wide", song.sheet.key, song.sheet.meter)
    assert len(mido.MidiFile(tmp_path / "out.mid").tracks) == 25


def test_a_motif_is_rejected_for_imported_notes(tmp_path: Path, styles: dict[str, Style]) -> None:
    piece = open_piece(write_file(tmp_path, "jig.abc", JIG))
    with pytest.raises(MusicGenError, match="motif"):
        arrange_in_style(piece, styles, "pop", motif="C4")


def test_render_makes_a_song_from_a_file(run: Run, home: Path, tmp_path: Path) -> None:
    path = write_file(tmp_path, "jig.abc", JIG)
    done = run("render", str(path), "--style", "celtic", "--also", "mid,stems", "--seed", "1")
    assert done.returncode == 0, done.stderr
    song = Path(done.stdout.strip())
    assert song.name == "The Test Jig.mp3"
    assert {".json", ".abc", ".mid", ".melody.wav"} <= {
        p.name.removeprefix("The Test Jig") for p in song.parent.iterdir()
    }
    assert run("render", str(tmp_path / "none.mid")).returncode == 2
