"""Lets lamps follow the player, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.core import paths
from scripts.jukebox.light_follower import LightFollower
from scripts.lights.fixtures import load_fixtures
from scripts.lights.lamps import Lamps, open_lamps
from scripts.lights.show import DARK, Light, LightMode

_INTERVAL = 1 / 40  # seconds between frames; DMX carries at most 44 a second
_JOIN_TIMEOUT = 2.0  # seconds
_log = logging.getLogger(__name__)

Heard = Sequence[tuple[Path, float, float]]  # as Player.heard returns it


def start_lamps(
    addresses: str, mode: str, delay: float, heard: Callable[[], Heard]
) -> LampThread | None:
    """Open the lamps at addresses with spaces between them; None without any.

    Raises
    ------
    UsageError
        When an address or ``data/lights.toml`` is invalid.
    SetupError
        When lamps cannot be used.
    """
    if not addresses.split():
        return None
    fixtures = load_fixtures(paths.DATA / "lights.toml")
    lamps = [open_lamps(address, fixtures) for address in addresses.split()]
    return LampThread(lamps, LightFollower(LightMode(mode), delay), heard)


class LampThread:
    """Sends the light of what is heard to lamps; dark when it is closed.

    Parameters
    ----------
    lamps : sequence of Lamps
    follower : LightFollower
        Used by this thread only, but for its mode.
    heard : callable
        Returns what is heard now; empty while nothing plays.
    """

    def __init__(
        self, lamps: Sequence[Lamps], follower: LightFollower, heard: Callable[[], Heard]
    ) -> None:
        self.follower = follower
        self._lamps, self._heard = lamps, heard
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Turn the lamps dark and end the thread."""
        self._end.set()
        self._thread.join(_JOIN_TIMEOUT)
        for lamp in self._lamps:
            try:
                lamp.close()
            except OSError as error:
                _log.warning("lamps: %s", error)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._end.is_set():
            self._send_frame()
            due = max(due + _INTERVAL, time.monotonic())
            self._end.wait(due - time.monotonic())

    def _send_frame(self) -> None:
        heard = self._heard()

        def light_at(seconds: float) -> Light:
            if not heard:
                return DARK
            return self.follower.light([(path, at - seconds, level) for path, at, level in heard])

        for lamp in self._lamps:
            try:
                lamp.send(light_at)
            except OSError as error:  # the network may come back
                _log.debug("lamps: %s", error)
