"""Controller of Configure Options: validates settings as they are typed and saves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripts.audio.outputs import device_names
from scripts.core import paths
from scripts.core.errors import MusicGenError, UsageError
from scripts.core.settings import change_setting, save_settings
from scripts.core.system import estimate_model_memory, physical_memory
from scripts.core.theme import THEMES
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.registry import find_model, list_models
from scripts.request.parse import read_length
from scripts.tui.screens.options import AUTOMATIC_LABELS, OPTION_ROWS, format_option
from scripts.tui.state import Field, State

_NUMERIC_SETTINGS = ("thread_fraction", "temperature", "volume", "crossfade")


class SettingsController:
    """Changes and saves settings.

    Parameters
    ----------
    state : State
    on_change : callable
        Called with the name of each setting that was changed.
    """

    def __init__(self, state: State, on_change: Callable[[str], None]) -> None:
        self.state, self._on_change = state, on_change
        self._choices: tuple[str, ...] = ()

    def edit(self, name: str) -> None:
        """Ask for a setting, or switch one with few choices to the next."""
        label, hint = OPTION_ROWS[name]
        if name == "auto_play":
            self.set(name, not self.state.settings.auto_play)
        elif name == "theme":
            names = list(THEMES)
            now = names.index(self.state.settings.theme)
            self.set(name, names[(now + 1) % len(names)])
        else:
            self.state.field = Field(f"{label} ({hint}):", name)
            if name in AUTOMATIC_LABELS:
                choices = list_model_choices() if name == "model" else device_names()
                self._choices = AUTOMATIC_LABELS[name], *choices
                self._update_suggestions(self.state.field)

    def validate_text(self, field: Field) -> None:
        """Validate the text typed so far, or update the suggestions."""
        field.problem = ""
        if field.name in AUTOMATIC_LABELS:
            self._update_suggestions(field)
        elif field.text.strip():
            try:
                change_setting(
                    self.state.settings, field.name, parse_setting(field.name, field.text.strip())
                )
            except UsageError as error:
                field.problem = str(error)

    def submit_answer(self, field: Field, text: str) -> None:
        """Apply the answer as the new value.

        Raises
        ------
        UsageError
            When the value is invalid; the question stays open.
        """
        if field.name in AUTOMATIC_LABELS and field.suggestions:
            selected = field.suggestions[field.selected]
            text = (
                ""
                if selected == AUTOMATIC_LABELS[field.name]
                else selected.partition(": ")[0]
                if field.name == "model"
                else selected
            )
        elif field.name == "device":
            raise UsageError(f'no such sound device: "{text[:40]}"; choose one from the list')
        self.set(field.name, parse_setting(field.name, text))
        self.state.field = None
        self.state.message = (
            f"{OPTION_ROWS[field.name][0]}: {format_option(self.state.settings, field.name)}"
        )

    def _update_suggestions(self, field: Field) -> None:
        """Suggest the choices that contain the text typed so far."""
        word = field.text.strip().casefold()
        field.suggestions = tuple(name for name in self._choices if word in name.casefold())
        field.selected = min(field.selected, max(0, len(field.suggestions) - 1))

    def set(self, name: str, value: Any) -> None:
        """Change a setting and save it.

        Raises
        ------
        UsageError
            When the value is invalid.
        """
        self.state.settings = change_setting(self.state.settings, name, value)
        try:
            save_settings(paths.SETTINGS, self.state.settings)
        except MusicGenError as error:
            self.state.message = str(error)
        self._on_change(name)


def parse_setting(name: str, text: str) -> Any:
    """Parse the typed text of a setting.

    Numbers may be fractions (``5/6``) or have a unit (``40%``, ``2.5 s``). A volume without a
    decimal point is a percentage.

    Raises
    ------
    UsageError
        When it is not a number or a song length, or there is no such model.
    """
    if name == "song_length":
        return read_length(text)
    if name == "model":
        if text:
            try:
                find_model(text, paths.MODELS)
            except MusicGenError as error:
                raise UsageError(str(error)) from error
        return text
    if name in _NUMERIC_SETTINGS:
        try:
            numerator, slash, denominator = text.partition("/")
            number = float(numerator) / float(denominator) if slash else float(text.rstrip("%s "))
        except (ValueError, ZeroDivisionError):
            raise UsageError(f'"{text[:20]}" is not a number') from None
        if name == "volume" and "." not in text and "/" not in text:  # 1 means 1 %
            number /= 100
        return number
    return text if name == "device" else text.lower()


def list_model_choices() -> tuple[str, ...]:
    """Models that can compose, as choices: path and description, or why a file is unusable."""
    found = list_models(paths.MODELS, paths.DATA / "models.toml")
    return tuple(
        f"{entry.path.relative_to(paths.MODELS).as_posix()}: "
        f"{describe_model(entry.info) if entry.info else entry.problem}"
        for entry in found
        if entry.roles != ("reader",)
    )


def describe_model(info: GgufInfo) -> str:
    """Describe a model: size, architecture, quantization, and whether it fits in memory."""
    parameters = info.parameters / 1e9
    size = f"{parameters:.1f} B" if parameters >= 1 else f"{info.parameters / 1e6:.0f} M"
    memory = physical_memory()
    fits = (
        ""
        if not memory
        else ", fits in memory"
        if estimate_model_memory(info.file_bytes) < memory
        else ", does not fit in memory"
    )
    return f"{size} weights, {info.architecture}, {info.quantization}{fits}"
