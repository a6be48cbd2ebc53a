"""Understands requests with the reader, which stays loaded between them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from scripts.core import paths
from scripts.core.errors import ModelError, SetupError
from scripts.llm.reader import Reader, open_reader
from scripts.request.interpret.feel import add_feeling, as_mood
from scripts.request.interpret.interpret import interpret
from scripts.request.interpret.interpretation import UNDERSTOOD, Interpretation
from scripts.request.interpret.mood_head import MoodReading
from scripts.request.mood_history import load_history, tint
from scripts.request.request import SongRequest
from scripts.styles.moods import load_moods, moods_by_style
from scripts.styles.style import Style

_SURE = 0.6  # probability of a mood from which no model is asked
_log = logging.getLogger(__name__)


class Interpreter:
    """Turns sentences into requests; a context manager.

    Without a usable embedding model, sentences are understood by their words alone.

    Parameters
    ----------
    styles : mapping of str to Style
        The available styles by name.
    reader_name : str
        The setting ``reader``.
    default_length : str
        Length of songs where none is said, as it is stored.
    tints : bool
        Whether the hour, the season and the last songs move feelings a little.

    Attributes
    ----------
    problem : str
        Why the embedding model is not used; empty while it is.
    """

    def __init__(
        self,
        styles: Mapping[str, Style],
        reader_name: str = "",
        default_length: str = "3",
        tints: bool = False,
    ) -> None:
        self.styles, self.default_length, self.tints = styles, default_length, tints
        self.problem = ""
        self._moods = load_moods(paths.DATA / "moods.toml")
        self._reader = self._open(reader_name)

    def interpret(self, text: str, given: SongRequest) -> Interpretation:
        """Understand a sentence; fields of `given` take precedence.

        Raises
        ------
        UsageError
            When the text cannot be a request, see :func:`interpret`.
        """
        found = self._understand(text, given)
        reading = self._read_feeling(found)
        if reading and self._is_feeling(found):
            return self._tinted(as_mood(found, reading, self._moods))
        return self._tinted(add_feeling(found, reading, self._moods))

    def interpret_mood(
        self,
        text: str,
        given: SongRequest,
        choose: Callable[[str, MoodReading], str] | None = None,
    ) -> tuple[Interpretation, MoodReading]:
        """Understand a sentence as a feeling; fields of `given` take precedence.

        Parameters
        ----------
        text : str
        given : SongRequest
        choose : callable, optional
            Chooses a mood where the reader is not sure.

        Raises
        ------
        UsageError
            When the text cannot be a request.
        SetupError
            When there is no reader, or it was not taught moods.
        """
        found = self._understand(text, given)
        reading = self._read_mood(text)
        if reading is None:
            raise SetupError(
                f"moods need reader.gguf and reader.moods in models/; {self.problem or 'add them'}"
            )
        if choose and reading.ranked[0][1] < _SURE:
            reading = reading.with_first(choose(text, reading))
        return self._tinted(as_mood(found, reading, self._moods)), reading

    def _understand(self, text: str, given: SongRequest) -> Interpretation:
        """Understand a sentence, but for a feeling."""
        try:
            found = interpret(text, self.styles, given, self._reader)
        except ModelError as error:
            self._give_up(error)
            found = interpret(text, self.styles, given)
        length = found.request.length or self.default_length
        return replace(found, request=replace(found.request, length=length))

    def _is_feeling(self, found: Interpretation) -> bool:
        """Whether a sentence names no mood, and moods are all that its meaning tells."""
        moods = set(moods_by_style(self._moods))
        understood = set(found.styles) - set(found.said_styles)
        return bool(understood) and understood <= moods and not moods & set(found.said_styles)

    def _tinted(self, found: Interpretation) -> Interpretation:
        """Let the hour, the season and the last songs move a feeling that was not named."""
        feeling, source = found.request.feeling, found.sources.get("mood")
        if not self.tints or feeling is None or source is None or source.origin != UNDERSTOOD:
            return found
        moved = tint(feeling, datetime.now(), load_history(paths.MOOD_HISTORY))
        return replace(found, request=replace(found.request, feeling=moved))

    def _read_feeling(self, found: Interpretation) -> MoodReading | None:
        """What a sentence says about a feeling, if its mood was understood from its meaning."""
        source = found.sources.get("mood")
        if source is None or source.origin != UNDERSTOOD or not found.request.text:
            return None
        return self._read_mood(found.request.text)

    def _read_mood(self, text: str) -> MoodReading | None:
        try:
            return self._reader.read_mood(text) if self._reader else None
        except ModelError as error:
            self._give_up(error)
            return None

    def start(self) -> None:
        """Start the model in the background, so that the first answer comes sooner."""
        if self._reader:
            self._reader.start()

    def close(self) -> None:
        """End the model's process."""
        if self._reader:
            self._reader.close()

    def __enter__(self) -> Interpreter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, name: str) -> Reader | None:
        reader = open_reader(name)
        if reader is None:
            self.problem = (
                "there is no reader.gguf in models/: sentences are understood by their words alone"
            )
        return reader

    def _give_up(self, error: ModelError) -> None:
        _log.warning("the reader cannot be used: %s", error)
        self.problem = f"{error}; sentences are understood by their words alone"
        self.close()
        self._reader = None
