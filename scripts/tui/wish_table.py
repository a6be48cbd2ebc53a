"""Wishes that the menu can ask for: their keys, names and hints."""

from __future__ import annotations

from typing import NamedTuple


class Wish(NamedTuple):
    """A row of the screen Wishes."""

    key: str
    label: str
    hint: str
    default: str


_BY_STYLE = "as the style has it"
WISHES = {
    "length": Wish("1", "Length", "3, 3:30, 1h30, 90s, or a range 4-6", "as in the options"),
    "key": Wish("2", "Key", "such as F minor, D dorian, minor", _BY_STYLE),
    "tempo": Wish("3", "Tempo", "20 to 300, or slow, fast, allegro", _BY_STYLE),
    "meter": Wish("4", "Meter", "such as 4/4, 6/8, 7/8", _BY_STYLE),
    "tuning": Wish("5", "Tuning", "Hz of A4 (432), or 174 285 396 417 528 639 741 852 963", "440"),
    "form": Wish("6", "Form", "such as intro verse chorus", _BY_STYLE),
    "chords": Wish("7", "Chords", "such as Fm Db Ab Eb", "as the model writes them"),
    "motif": Wish("8", "Motif", "such as C4 E4 G4", "none"),
    "binaural": Wish("9", "Binaural", "Hz between the ears, such as 6", "none"),
    "loop": Wish("0", "Loop", "yes: the end joins the beginning", "no"),
    "instruments": Wish("i", "Instruments", "such as piano, strings; or only piano", _BY_STYLE),
    "without": Wish("n", "Without", "such as drums, guitar", "nothing"),
    "energy": Wish("y", "Energy", "low or high", _BY_STYLE),
    "seed": Wish("s", "Seed", "a whole number: the same seed makes the same song", "random"),
    "also": Wish("a", "Also Write", "wav, mid, abc, musicxml, stems", "nothing"),
    "bitrate": Wish("r", "Bitrate", "32 to 320 kbit/s", "as in the settings"),
    "out": Wish("o", "Output Folder", "a folder for the files", "output"),
    "until": Wish("t", "Endless Until", "a time such as 23:30", "stopped"),
    "keep": Wish("d", "Endless Keeps", "disk space such as 5GB", "all songs"),
}
# Wishes about the order; the others are about its songs.
ORDER_WISHES = ("seed", "also", "bitrate", "out", "until", "keep")


def summarize_wishes(wishes: dict[str, str]) -> str:
    """Summarize the wishes in one line."""
    return ", ".join(f"{WISHES[name].label.lower()} {value}" for name, value in wishes.items())
