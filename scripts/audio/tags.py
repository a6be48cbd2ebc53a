"""What a file's own tags say of its loudness (ReplayGain 2.0)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

REFERENCE = -18.0  # LUFS that ReplayGain brings songs to
_GAIN = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d{1,4})?)\s*(?:dB)?\s*", re.IGNORECASE)
_NAME = "replaygain_track_gain"


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
    except Exception:  # damaged tags fail in many ways, and none of them matters
        return None
    return None
