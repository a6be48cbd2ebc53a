"""The user's settings: ``data/persistent.json``.

Every key is optional, unknown keys are kept, and a broken file is set aside, never lost.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from scripts.core.atomic_files import write_text
from scripts.core.errors import UsageError
from scripts.core.theme import THEMES


@dataclass(frozen=True)
class Settings:
    """What ``Configure Options`` holds.

    Parameters
    ----------
    thread_fraction : float
        Share of the processor's threads for the model, over 0 to 1.
    temperature : float
        0 to 2.
    volume : float
        0 to 1.
    model : str
        Name of a file in ``models/``; empty chooses the first that can compose.
    writer : str
        Model for titles; empty means the composer if it can, else rules.
    song_length : str
        As ``--length``.
    auto_play : bool
        Play a song as soon as it is converted.
    output : str
        ``auto``, ``miniaudio``, ``simpleaudio`` or ``null``.
    bitrate : int
        kbit/s of the MP3.
    theme : str
        What rules and bars are drawn with: a name in :data:`scripts.core.theme.THEMES`.
    crossfade : float
        Seconds that one song fades into the next; 0 joins them without a gap.
    device : str
        Name of a sound device; empty takes the system's.
    """

    thread_fraction: float = 5 / 6
    temperature: float = 0.75
    volume: float = 0.65
    model: str = ""
    writer: str = ""
    song_length: str = "3"
    auto_play: bool = True
    output: str = "auto"
    bitrate: int = 192
    theme: str = "ascii-colour"
    crossfade: float = 0.0
    device: str = ""
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def sound(self) -> str:
        """Output and device, as :func:`scripts.audio.outputs.open_output` takes them."""
        return f"{self.output}@{self.device}" if self.device else self.output

    @property
    def threads(self) -> int:
        """Threads for the model."""
        return max(1, round((os.cpu_count() or 1) * self.thread_fraction))


_RANGES: dict[str, tuple[float, float]] = {
    "thread_fraction": (0.01, 1.0),
    "temperature": (0.0, 2.0),
    "volume": (0.0, 1.0),
    "bitrate": (32, 320),
    "crossfade": (0.0, 12.0),
}
_LENGTH = re.compile(r"\d{1,4}(\.\d+)?(\s*-\s*\d{1,4}(\.\d+)?)?|\d{1,2}:[0-5]\d")
_CHOICES: dict[str, tuple[str, ...]] = {
    "output": ("auto", "miniaudio", "simpleaudio", "null"),
    "theme": tuple(THEMES),
}


def checked(settings: Settings, name: str, value: Any) -> Settings:
    """Return `settings` with one value changed.

    Raises
    ------
    UsageError
        When the value is not allowed, naming what is.
    """
    if name == "unknown" or name not in {f.name for f in fields(Settings)}:
        raise UsageError(f"there is no setting {name!r}")
    kind: type = type(getattr(Settings(), name))
    if name in _RANGES:
        low, high = _RANGES[name]
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not low <= value <= high
        ):
            raise UsageError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
        value = kind(value)
    elif not isinstance(value, kind):
        raise UsageError(f"{name} must be a {kind.__name__}, not {value!r}")
    if name == "song_length" and not _LENGTH.fullmatch(str(value).strip()):
        raise UsageError(
            f"song_length must be minutes (3), a range (4-6) or hours (1:30), not "
            f"{str(value)[:20]!r}"
        )
    if name in _CHOICES and value not in _CHOICES[name]:
        raise UsageError(f"{name} must be one of {', '.join(_CHOICES[name])}, not {value!r}")
    changes: dict[str, Any] = {name: value}
    return replace(settings, **changes)


def load_settings(path: Path) -> tuple[Settings, list[str]]:
    """Read the settings, and a line for everything in the file that was not taken."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(data, dict):
            raise ValueError("it holds no JSON object")
    except FileNotFoundError:
        return Settings(), []
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        aside = path.with_name(path.name + ".broken")
        number = 1
        while aside.exists():
            number += 1
            aside = path.with_name(f"{path.name}.broken{number}")
        try:
            os.replace(path, aside)
            told = (
                f"{path.name} is not JSON ({_first_line(error)}); it was set aside as {aside.name}"
            )
        except OSError:
            told = f"{path.name} is not JSON ({_first_line(error)}); the defaults are used"
        return Settings(), [told]
    except OSError as error:
        return Settings(), [f"{path} cannot be read ({error.strerror}); the defaults are used"]
    settings, notes = Settings(), []
    known = {f.name for f in fields(Settings)} - {"unknown"}
    for name, value in data.items():
        if name in known:
            try:
                settings = checked(settings, name, value)
            except UsageError as error:
                notes.append(f"{path.name}: {error}; the default is used")
    unknown = {k: v for k, v in data.items() if k not in known}
    return replace(settings, unknown=unknown), notes


def save_settings(path: Path, settings: Settings) -> None:
    """Write the settings whole; unknown keys go back as they were."""
    known = {f.name: getattr(settings, f.name) for f in fields(Settings) if f.name != "unknown"}
    text = json.dumps({**settings.unknown, **known}, indent=2, ensure_ascii=False) + "\n"
    write_text(path, text, waits=(0.1, 0.2))  # a screen waits for it


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:80] if str(error) else type(error).__name__
