"""Lock that prevents two installations at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.core.file_lock import hold
from scripts.installer.subprocesses import say


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Context manager that locks a file, waiting while another process has locked it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    told = False
    while (held := hold(lock)) is None:
        if not told:
            say("Another window is installing; waiting for it...")
            told = True
        time.sleep(1)
    with held:
        yield
