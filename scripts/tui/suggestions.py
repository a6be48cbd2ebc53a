"""Suggestions of the user's chat model, made in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

from scripts.batch.suggester import Suggester
from scripts.core.errors import MusicGenError
from scripts.request.interpret.interpretation import Interpretation

_log = logging.getLogger(__name__)


class Suggestions:
    """Asks a chat model for what requests leave open, in a thread of its own.

    Parameters
    ----------
    suggester : Suggester
    understood : sequence of Interpretation
    """

    def __init__(self, suggester: Suggester, understood: Sequence[Interpretation]) -> None:
        self._cancelled = threading.Event()
        suggester.cancelled = self._cancelled.is_set
        self._found: list[Interpretation] | None = None
        self._thread = threading.Thread(
            target=self._run, args=(suggester, list(understood)), daemon=True
        )
        self._thread.start()

    def result(self) -> list[Interpretation] | None:
        """Return the requests with what was suggested; None until the model has answered."""
        return self._found

    def cancel(self) -> None:
        """Stop the model soon; there will be no result."""
        self._cancelled.set()

    def _run(self, suggester: Suggester, understood: list[Interpretation]) -> None:
        try:
            found = [suggester.suggest(item) for item in understood]
        except MusicGenError as error:
            _log.info("no suggestions: %s", error)
            note = f"{error}; nothing is suggested"
            found = [replace(item, notes=(*item.notes, note)) for item in understood[:1]]
            found += understood[1:]
        if not self._cancelled.is_set():
            self._found = found
