"""Tags of audio files: song facts, ReplayGain loudness and play statistics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.audio.play_stats import PlayStats, read_stats
from scripts.audio.tag_file import open_for_tags
from scripts.core.text import strip_control_chars

REPLAYGAIN_REFERENCE = -18.0  # LUFS, target level of ReplayGain
_GAIN_VALUE = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d{1,4})?)\s*(?:dB)?\s*", re.IGNORECASE)
_GAIN_TAG = "replaygain_track_gain"
_MAX_SECONDS = 1e7  # seconds
_TEXT_TAGS = {
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
    """Tags read from an audio file.

    Parameters
    ----------
    texts : dict
        Those present of ``title``, ``asked`` (the album), ``model`` (the artist), ``genre``,
        ``key``, ``tempo`` (BPM) and ``made`` (the date); printable text.
    seconds : float
        Duration; 0 when unknown.
    stats : PlayStats
    readable : bool
        Whether the file's format can hold tags.
    """

    texts: dict[str, str]
    seconds: float
    stats: PlayStats
    readable: bool = False

    @staticmethod
    def empty() -> FileTags:
        """Tags of a file without any."""
        return FileTags({}, 0.0, PlayStats())


def read_tags(path: Path) -> FileTags:
    """Read the tags of a file; damaged ones count as missing."""
    try:
        import mutagen

        with open_for_tags(path) as source:
            file: Any = mutagen.File(source)
        tags = getattr(file, "tags", None)
        seconds = float(getattr(getattr(file, "info", None), "length", 0.0) or 0.0)
        texts = {
            name: text
            for name, (frame, word) in _TEXT_TAGS.items()
            if (text := _read_text(tags, frame, word))
        }
        return FileTags(
            texts,
            seconds if 0 < seconds < _MAX_SECONDS else 0.0,
            read_stats(tags),
            file is not None,
        )
    except Exception:  # damaged tags raise many kinds of errors; all count as missing
        return FileTags.empty()


def _read_text(tags: Any, frame: str, key: str) -> str:
    if tags is None:
        return ""
    found = tags.get(frame) if hasattr(tags, "getall") else tags.get(key)
    found = getattr(found, "text", found)
    return strip_control_chars(str(found[0]), 400) if isinstance(found, list) and found else ""


def read_tagged_loudness(path: Path) -> float | None:
    """Loudness in LUFS by the ReplayGain track gain of a file; None without that tag."""
    try:
        import mutagen

        with open_for_tags(path) as source:
            tags: Any = getattr(mutagen.File(source), "tags", None)
        for name in list(tags.keys()) if tags else []:
            if str(name).casefold().removeprefix("txxx:") == _GAIN_TAG:
                value = tags[name]
                text = getattr(value, "text", value)
                found = _GAIN_VALUE.fullmatch(str(text[0] if isinstance(text, list) else text))
                if found:
                    return REPLAYGAIN_REFERENCE - float(found[1])
    except Exception:
        return None
    return None
