"""User settings, stored in ``data/persistent.json``.

Every key is optional, unknown keys are kept, and a damaged file is renamed, never overwritten.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from scripts.core.atomic_files import write_text
from scripts.core.errors import UsageError
from scripts.core.input_files import read_input_text
from scripts.core.json_fields import INVALID_DATA, format_json
from scripts.core.theme import THEMES

# As stored: minutes, a range of them, seconds, or hours:minutes, which earlier versions wrote.
_LENGTH = r"^\s*(\d{1,4}(\.\d+)?(\s*-\s*\d{1,4}(\.\d+)?)?|\d{1,5}(\.\d+)?s|\d{1,2}:[0-5]\d)\s*$"


_MAX_BYTES = 1 << 20  # of the settings file
_MAX_VALUE_LENGTH = 1000  # characters


@dataclass(frozen=True)
class Settings:
    """Settings of the screen ``Configure Options``.

    Parameters
    ----------
    thread_fraction : float
        Fraction of the processor's threads for the model, above 0 to 1.
    temperature : float
        Sampling temperature, 0 to 2.
    volume : float
        Playback volume, 0 to 1.
    model : str
        File name in ``models/``; empty selects the first that can compose.
    reader : str
        Embedding model that understands sentences; empty selects ``reader.gguf``.
    writer : str
        Model for titles; empty selects the composing model if it can write titles, else rules.
    guide : float
        How much the starter guides larger models that write a sheet: 0 not at all, 1 alone.
    gpu_layers : str or int
        Layers of a model that run on graphics processors: ``auto`` for as many as fit, or a number.
    suggestions : bool
        Whether a chat model suggests what a request leaves open.
    song_length : str
        See :func:`scripts.request.parse.parse_length`.
    auto_play : bool
        Play each new song when it is finished.
    output : str
        Audio backend: ``auto``, ``miniaudio``, ``simpleaudio`` or ``null``.
    bitrate : int
        Bit rate of MP3 files in kbit/s, 32 to 320.
    theme : str
        Characters and colors of the screens: a name in :data:`scripts.core.theme.THEMES`.
    crossfade : float
        Length of the crossfade between songs in seconds, 0 to 12; 0 plays them gapless.
    device : str
        Name of an audio device; empty selects the system's default.
    lights : str
        Light of the music: ``off``, ``calm`` (without accents) or ``full``.
    light_delay : float
        Seconds by which the light is later than the sound is estimated to be, -2 to 2.
    lamps : str
        Addresses of lamps, separated by spaces: ``sacn://1``, ``artnet://HOST``, ``wled://HOST``.
    tint : bool
        Whether the time of day, the season and the last songs decide what a feeling leaves open.
    unknown : mapping
        Keys of the file that this version does not know; written back unchanged.
    """

    thread_fraction: Annotated[float, Meta(ge=0.01, le=1)] = 5 / 6
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.75
    volume: Annotated[float, Meta(ge=0, le=1)] = 0.65
    model: str = ""
    writer: str = ""
    reader: str = ""
    song_length: Annotated[str, Meta(pattern=_LENGTH)] = "3"
    guide: Annotated[float, Meta(ge=0, le=1)] = 0.75
    gpu_layers: Literal["auto"] | Annotated[int, Meta(ge=0, le=9999)] = "auto"
    suggestions: bool = True
    auto_play: bool = True
    output: Literal["auto", "miniaudio", "simpleaudio", "null"] = "auto"
    bitrate: Annotated[int, Meta(ge=32, le=320)] = 192
    theme: str = "ascii-colour"
    crossfade: Annotated[float, Meta(ge=0, le=12)] = 0.0
    device: str = ""
    lights: Literal["off", "calm", "full"] = "full"
    light_delay: Annotated[float, Meta(ge=-2, le=2)] = 0.0
    lamps: str = ""
    tint: bool = True
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def audio_output(self) -> str:
        """Backend and device as ``BACKEND[@DEVICE]``, for ``scripts.audio.outputs.open_output``."""
        return f"{self.output}@{self.device}" if self.device else self.output

    @property
    def threads(self) -> int:
        """Number of threads for the model, at least 1."""
        return max(1, round((os.cpu_count() or 1) * self.thread_fraction))


# What a value must be, for messages; the annotations of Settings check it.
_EXPECTED = {
    "thread_fraction": "a number from 0.01 to 1",
    "temperature": "a number from 0 to 2",
    "guide": "a number from 0 to 1",
    "gpu_layers": "auto or a whole number from 0 to 9999",
    "volume": "a number from 0 to 1",
    "bitrate": "a whole number from 32 to 320",
    "crossfade": "a number from 0 to 12",
    "auto_play": "true or false",
    "suggestions": "true or false",
    "lights": "off, calm or full",
    "light_delay": "a number of seconds from -2 to 2",
    "tint": "true or false",
    "song_length": "minutes (3), seconds (95s) or a range of minutes (4-6)",
    "output": "auto, miniaudio, simpleaudio or null",
    "theme": ", ".join(THEMES),
}


def change_setting(settings: Settings, name: str, value: Any) -> Settings:
    """Return a copy of `settings` with one value changed.

    Raises
    ------
    UsageError
        When the setting does not exist or the value is not allowed; names the allowed values.
    """
    kinds = get_type_hints(Settings, include_extras=True)
    if name == "unknown" or name not in kinds:
        raise UsageError(f"unknown setting {name!r}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has only one type of number
    try:
        if isinstance(value, str) and len(value) > _MAX_VALUE_LENGTH:
            raise msgspec.ValidationError
        checked = msgspec.convert(value, kinds[name])
        if name == "theme" and checked not in THEMES:
            raise msgspec.ValidationError
    except INVALID_DATA as error:
        raise UsageError(
            f"invalid {name} {str(value)[:40]!r}: expected {_EXPECTED.get(name, 'a text')}"
        ) from error
    changes: dict[str, Any] = {name: checked}
    return replace(settings, **changes)


def load_settings(path: Path) -> tuple[Settings, list[str]]:
    """Read the settings; a missing, damaged or unreadable file gives the defaults.

    Returns
    -------
    settings : Settings
    warnings : list of str
        One line for the user about each problem of the file.
    """
    try:
        data = json.loads(read_input_text(path, _MAX_BYTES, "utf-8-sig"))
        if not isinstance(data, dict):
            raise ValueError("expected a JSON object")
    except FileNotFoundError:
        return Settings(), []
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        return Settings(), [_set_aside(path, f"is not valid JSON ({_first_line(error)})")]
    except OSError as error:
        if error.errno == errno.EFBIG:
            return Settings(), [_set_aside(path, f"is {error.strerror}")]
        return Settings(), [f"cannot read {path} ({error.strerror}); using the defaults"]
    settings, warnings = Settings(), []
    known = {f.name for f in fields(Settings)} - {"unknown"}
    for name, value in data.items():
        if name in known:
            try:
                settings = change_setting(settings, name, value)
            except UsageError as error:
                warnings.append(f"{path.name}: {error}; using the default")
    unknown = {k: v for k, v in data.items() if k not in known}
    return replace(settings, unknown=unknown), warnings


def _set_aside(path: Path, problem: str) -> str:
    """Rename a file that cannot be used, so that saving does not overwrite it; return a notice."""
    aside = path.with_name(path.name + ".broken")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.broken{number}")
    try:
        os.replace(path, aside)
    except OSError:
        return f"{path.name} {problem}; using the defaults"
    return f"{path.name} {problem}; set aside as {aside.name}"


def save_settings(path: Path, settings: Settings) -> None:
    """Write the settings atomically; unknown keys are written back unchanged.

    Raises
    ------
    StorageError
        When the file cannot be written.
    """
    known = {f.name: getattr(settings, f.name) for f in fields(Settings) if f.name != "unknown"}
    text = format_json({**settings.unknown, **known})
    write_text(path, text, delays=(0.1, 0.2), private=True)  # short: the user interface is waiting


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:80] if str(error) else type(error).__name__
