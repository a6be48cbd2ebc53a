"""Understands requests with the reader, which stays loaded between them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from scripts.core.errors import ModelError
from scripts.llm.reader import Reader, open_reader
from scripts.request.interpret.interpret import interpret
from scripts.request.interpret.interpretation import Interpretation
from scripts.request.request import SongRequest
from scripts.styles.style import Style

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

    Attributes
    ----------
    problem : str
        Why the embedding model is not used; empty while it is.
    """

    def __init__(
        self, styles: Mapping[str, Style], reader_name: str = "", default_length: str = "3"
    ) -> None:
        self.styles, self.default_length = styles, default_length
        self.problem = ""
        self._reader = self._open(reader_name)

    def interpret(self, text: str, given: SongRequest) -> Interpretation:
        """Understand a sentence; fields of `given` take precedence.

        Raises
        ------
        UsageError
            When the text cannot be a request, see :func:`interpret`.
        """
        try:
            found = interpret(text, self.styles, given, self._reader)
        except ModelError as error:
            self._give_up(error)
            found = interpret(text, self.styles, given)
        length = found.request.length or self.default_length
        return replace(found, request=replace(found.request, length=length))

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
