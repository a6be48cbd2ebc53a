"""What a file's own tags say: of the song, of its loudness, and of what the listener thinks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.audio.play_stats import Heard, heard_in

REFERENCE = -18.0  # LUFS that ReplayGain brings songs to
_GAIN = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d{1,4})?)\s*(?:dB)?\s*", re.IGNORECASE)
_NAME = "replaygain_track_gain"
_LONGEST = 1e7  # seconds
_WORDS = {
    "title": ("TIT2", "title"),
    "asked": ("TALB", "album"),
    "model": ("TPE1", "artist"),
    "genre": ("TCON", "genre"),
    "key": ("TKEY", "initialkey"),
    "tempo": ("TBPM", "bpm"),
    "made": ("TDRC", "date"),
}


@dataclass(frozen=True)
class FileTags:
    """What stands in an audio file.

    Parameters
    ----------
    words : dict
        ``title``, ``asked`` (the album), ``model`` (the artist), ``genre``, ``key``, ``tempo``
        (BPM), ``made`` (the date), as far as they are there; texts of any letters.
    seconds : float
        0 when nothing tells.
    heard : Heard
    readable : bool
        Whether it is a file that can hold tags.
    """

    words: dict[str, str]
    seconds: float
    heard: Heard
    readable: bool = False

    @staticmethod
    def none() -> FileTags:
        """Of a file that says nothing."""
        return FileTags({}, 0.0, Heard())


def read_tags(path: Path) -> FileTags:
    """The tags of a file; damaged ones say nothing."""
    try:
        import mutagen

        file: Any = mutagen.File(path)
        tags = getattr(file, "tags", None)
        seconds = float(getattr(getattr(file, "info", None), "length", 0.0) or 0.0)
        words = {
            name: text
            for name, (frame, word) in _WORDS.items()
            if (text := _text(tags, frame, word))
        }
        return FileTags(
            words, seconds if 0 < seconds < _LONGEST else 0.0, heard_in(tags), file is not None
        )
    except Exception:  # damaged tags fail in many ways, and none of them matters
        return FileTags.none()


def _text(tags: Any, frame: str, word: str) -> str:
    if tags is None:
        return ""
    found = tags.get(frame) if hasattr(tags, "getall") else tags.get(word)
    found = getattr(found, "text", found)
    return str(found[0])[:400] if isinstance(found, list) and found else ""


def tagged_loudness(path: Path) -> float | None:
    """LUFS of a file, by the gain that its tags ask for; None when they ask for none."""
    try:
        import mutagen

        tags: Any = getattr(mutagen.File(path), "tags", None)
        for name in list(tags.keys()) if tags else []:
            if str(name).casefold().removeprefix("txxx:") == _NAME:
                value = tags[name]
                text = getattr(value, "text", value)
                found = _GAIN.fullmatch(str(text[0] if isinstance(text, list) else text))
                if found:
                    return REFERENCE - float(found[1])
    except Exception:
        return None
    return None
