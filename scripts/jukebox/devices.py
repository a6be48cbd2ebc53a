"""Keeps an audio output working: falls back to silence, and reconnects a lost device."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from scripts.audio.deck import Deck
from scripts.audio.outputs import NullOutput, Output, open_output
from scripts.core.audio_format import RATE

_RECONNECT_INTERVAL = 5.0  # seconds between attempts to reconnect a lost device
_log = logging.getLogger(__name__)

OutputOpener = Callable[[str], tuple[Output, str]]


class OutputSupervisor:
    """Plays a deck through an output, whatever becomes of the device.

    Parameters
    ----------
    deck : Deck
    choice : str
        An output as for :func:`scripts.audio.outputs.open_output`.
    notify : callable
        Called with a line for the user.
    opener : callable
        Opens the output; replaced in tests.
    """

    def __init__(
        self,
        deck: Deck,
        choice: str,
        notify: Callable[[str], None],
        opener: OutputOpener = open_output,
    ) -> None:
        self._deck, self._choice, self._notify, self._opener = deck, choice, notify, opener
        self._last_connect = time.monotonic()
        self._output: Output
        self._use(*opener(choice))

    @property
    def name(self) -> str:
        """Name of the output in use."""
        return self._output.name

    @property
    def buffered_seconds(self) -> float:
        """Seconds of audio that the deck has delivered and the device has not played yet."""
        return self._output.frames_buffered() / RATE

    @property
    def unheard_seconds(self) -> float:
        """Estimate of the seconds that the deck has delivered and that have not sounded yet."""
        return self._output.frames_unheard() / RATE

    def discard_buffer(self) -> None:
        """Drop buffered audio, so that a change is audible now."""
        self._output.discard_buffer()

    def choose(self, choice: str) -> None:
        """Change to another output."""
        self._choice = choice
        output, notice = self._opener(choice)
        self._output.close()
        self._use(output, notice)

    def set_idle(self, idle: bool) -> None:
        """Stop or resume the device; an error means that the device is lost."""
        try:
            self._output.set_idle(idle)
        except Exception:  # each library raises its own errors
            self._fall_back_to_silence()

    def check(self) -> bool:
        """Fall back to silence when the device is lost; whether to call :meth:`reconnect` now."""
        if not self._output.alive():
            self._fall_back_to_silence()
        silent = self._output.name == "null" and self._choice != "null"
        return silent and time.monotonic() - self._last_connect > _RECONNECT_INTERVAL

    def reconnect(self, lock: threading.RLock) -> None:
        """Try to reconnect the device; `lock` is held only to change the output."""
        self._last_connect = time.monotonic()
        choice = self._choice
        output, _ = self._opener(choice)
        with lock:
            is_stale = self._output.name != "null" or self._choice != choice
            if output.name == "null" or is_stale:
                output.close()
                return
            self._output.close()
            self._use(output, "The sound device is back.")

    def close(self) -> None:
        """Close the output."""
        self._output.close()

    def _fall_back_to_silence(self) -> None:
        self._last_connect = time.monotonic()
        with contextlib.suppress(Exception):
            self._output.close()
        self._use(NullOutput(), "The sound device is gone; playing silently until it is back.")

    def _use(self, output: Output, notice: str) -> None:
        self._output = output
        if notice:
            _log.info("%s: %s", output.name, notice)
            self._notify(notice)
        try:
            output.start(self._deck.read)
            output.set_idle(self._deck.silent)
        except Exception:  # each library raises its own errors; silence always starts
            if output.name != "null":
                self._fall_back_to_silence()
