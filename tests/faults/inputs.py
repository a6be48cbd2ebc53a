"""Fuzz inputs for every reader of external data: mutations of valid ones, and garbage."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import mido
import numpy as np
from hypothesis import strategies as st

from scripts.audio.mp3 import Tags, write_tags
from scripts.composer.compose import Composition
from scripts.production.recipe import Recipe
from scripts.production.recipe_json import recipe_to_json
from scripts.request.request import SongRequest
from scripts.score.abc_reader import read_abc
from tests.conftest import ROOT, STARTER, TUNE

_NUMBERS = [
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    32767,
    65535,
    1 << 31,
    (1 << 32) - 1,
    1 << 63,
    (1 << 64) - 1,
]
_TEXTS = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"9" * 400,
    b"(" * 3000,
    b"[" * 3000,
    b"-1",
    b"1e999",
    b"NaN",
    b"../..",
    b"%s%n",
    b"\x1b[2J",
    "日本\U0001f600".encode(),
    b"\xed\xa0\x80",
]


@st.composite
def mutated(draw: Any, seeds: list[bytes], tokens: list[bytes]) -> bytes:
    """One of `seeds` with some mutations, or garbage of `tokens` and bytes."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=400))
    if kind == 1:
        return b"".join(
            draw(st.lists(st.sampled_from(tokens) | st.binary(max_size=6), max_size=60))
        )
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        change = draw(st.integers(0, 6))
        if change == 0 and data:
            data[at] = draw(st.integers(0, 255))
        elif change == 1:
            del data[at : at + draw(st.integers(1, 40))]
        elif change == 2:
            data[at:at] = draw(st.sampled_from(tokens + _TEXTS))
        elif change == 3:
            number = draw(st.sampled_from(_NUMBERS)) % (1 << 64)
            size = draw(st.sampled_from([1, 2, 4, 8]))
            order = draw(st.sampled_from(["big", "little"]))
            data[at : at + size] = (number % (1 << 8 * size)).to_bytes(size, order)
        elif change == 4:
            data[at:at] = data[at : at + draw(st.integers(1, 60))] * draw(st.integers(1, 40))
        elif change == 5:
            del data[at:]
        else:
            data[at:at] = draw(st.binary(min_size=1, max_size=8))
    return bytes(data[:200_000])


def _midi() -> bytes:
    file, out = mido.MidiFile(ticks_per_beat=480), io.BytesIO()
    track = mido.MidiTrack()
    track += [
        mido.MetaMessage("set_tempo", tempo=500_000),
        mido.MetaMessage("time_signature", numerator=3, denominator=4),
        mido.MetaMessage("track_name", name="Piano"),
    ]
    for pitch in (60, 64, 67, 72):
        track += [
            mido.Message("note_on", note=pitch, velocity=80, time=0),
            mido.Message("note_off", note=pitch, time=480),
        ]
    file.tracks += [track, mido.MidiTrack(track[3:])]
    file.save(file=out)
    return out.getvalue()


_XML = b"""<?xml version="1.0"?><score-partwise version="4.0"><part-list><score-part id="P1">
<part-name>Piano</part-name></score-part></part-list><part id="P1"><measure number="1"><attributes>
<divisions>4</divisions><key><fifths>-1</fifths></key><time><beats>4</beats><beat-type>4</beat-type>
</time></attributes><harmony><root><root-step>D</root-step></root><kind>minor</kind></harmony>
<note><pitch><step>D</step><octave>4</octave></pitch><duration>8</duration></note><note><rest/>
<duration>8</duration></note></measure></part></score-partwise>"""


def _gguf() -> list[bytes]:
    """Head of a real model file, and a small model file with every type of value."""
    import gguf

    path = ROOT / ".venv" / "fuzz.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("small")
    writer.add_context_length(64)
    writer.add_tokenizer_model("llama")
    writer.add_file_type(1)
    writer.add_custom_alignment(32)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    writer.add_tensor("token_embd.weight", np.zeros((2, 8), np.float16))
    writer.add_bool("x.bool", True)
    writer.add_float64("x.float", 0.5)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    small = path.read_bytes()
    path.unlink()
    return [STARTER.read_bytes()[:3000], small]


def _mp3(folder: Path) -> bytes:
    path = folder / "seed.mp3"
    path.write_bytes((b"\xff\xfb\x90\x00" + bytes(413)) * 6)
    write_tags(path, Tags("Title", "Model", "Jazz", "Jazz", 90, "Dm", 2026, "words"))
    data = path.read_bytes()
    path.unlink()
    return data


def _sounds(folder: Path) -> list[bytes]:
    import subprocess

    from scripts.audio.mp3 import ffmpeg_path

    found = [_mp3(folder)]
    for ending in ("flac", "ogg", "wav"):
        path = folder / f"seed.{ending}"
        subprocess.run(
            [
                ffmpeg_path(),
                "-v",
                "error",
                "-y",
                "-f",
                "lavfi",
                "-i",
                "sine=duration=0.05",
                "-metadata",
                "title=Title",
                str(path),
            ],
            check=True,
        )
        found.append(path.read_bytes())
        path.unlink()
    return found


def _recipe() -> dict[str, Any]:
    composition = Composition(
        read_abc(TUNE), "Model", 3, 0.5, 100, 1.5, "rules", ("verse", "chorus")
    )
    recipe = Recipe(SongRequest("Folk", "0.2", key="E minor"), 7, 0.75, composition)
    return recipe_to_json(recipe)


_SETTINGS = json.dumps(
    {
        "volume": 0.5,
        "model": "x",
        "song_length": "4-6",
        "theme": "ascii",
        "crossfade": 2,
        "auto_play": True,
        "bitrate": 192,
    }
).encode()
_CSV = b'styles,songs,length,key,tempo,loop\n"Chill, Dubstep",5,0.5,F minor,140,yes\njazz,2,,,,\n'
_ORDERS = json.dumps(
    [
        {"styles": "Chill", "songs": 5, "tempo": 140, "also": ["wav"], "loop": True},
        {"styles": "jazz"},
    ]
).encode()
_REQUEST = json.dumps(
    {
        "styles": "Chill, Dubstep",
        "length": "4-6",
        "key": "F# minor",
        "tempo": 120.0,
        "meter": "7/8",
        "tuning": 432.0,
        "form": "intro verse",
        "chords": "Fm Db Ab Eb",
        "binaural": 6.0,
        "loop": True,
        "motif": "C4 E4 G4",
    }
).encode()


def seeds(folder: Path) -> dict[str, tuple[list[bytes], list[bytes]]]:
    """Valid inputs and dictionary tokens for each reader."""
    abc = (TUNE + 'V:2\n[V:1]A2(3BcdV:2\n[CEG]4{ag}|:"Am7"A>B~c.d/2:|[1A4|[2B4|]\n').encode()
    return {
        "requests": ([_REQUEST], [b'"', b":", b"styles", b"key", b"tempo", b"1e9", b"F minor"]),
        "ABC": (
            [TUNE.encode(), abc],
            [
                b"|",
                b":|",
                b"[1",
                b"(3",
                b'"Am"',
                b"K:C\n",
                b"M:7/8\n",
                b"L:1/999999\n",
                b"V:2\n",
                b"z99",
                b"a'''",
                b"w: la\n",
            ],
        ),
        "MIDI": ([_midi()], [b"MThd", b"MTrk", b"\xff\x51\x03", b"\x90\x40\x40", b"\xf0", b"\x7f"]),
        "MusicXML": (
            [_XML],
            [
                b"<note>",
                b"</note>",
                b"<duration>9</duration>",
                b"&x;",
                b"<chord/>",
                b"<!DOCTYPE a [<!ENTITY x 'y'>]>",
                b"<backup>",
                b"<divisions>0",
            ],
        ),
        "settings": ([_SETTINGS], [b"{", b"}", b'"volume"', b":", b"NaN", b"[]", b"null"]),
        "job files": ([_CSV, _ORDERS], [b",", b";", b'"', b"\n", b"styles", b"songs", b"{", b"["]),
        "tags": (
            _sounds(folder),
            [b"ID3", b"POPM", b"TXXX", b"TIT2", b"\xff\xfb", b"OggS", b"fLaC"],
        ),
        "GGUF headers": (
            _gguf(),
            [
                b"GGUF",
                b"\x03\0\0\0",
                b"general.name",
                b"\x09\0\0\0",
                b"general.alignment",
                b"\x0c\0\0\0",
                b"\x08\0\0\0",
            ],
        ),
        "song details": (
            [
                json.dumps(
                    {"title": "x", "seconds": 3, "styles": ["a"], "tempo": 90, "recipe": _recipe()}
                ).encode()
            ],
            [b"{", b"}", b'"title"', b"NaN", b"1e999", b"[", b'"recipe"'],
        ),
        "playlists": (
            [b"#EXTM3U\n#EXTINF:3,Title\na.mp3\n"],
            [b"#EXTM3U", b"http://x/a.mp3", b"\\\\x\\y.mp3", b"\n", b"a.mp3"],
        ),
        "searches": (
            [b"style:chill rating>=4 tempo<100 made:2026-11 -x"],
            [b"tempo", b":", b">=", b'"', b"-", b"1..2", b"made", b"thumb:up", b"%"],
        ),
    }
