"""Lock that prevents two installations at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.core.file_lock import try_lock
from scripts.installer.subprocesses import print_status


@contextmanager
def exclusive_lock(lock: Path) -> Iterator[None]:
    """Context manager that locks a file, waiting while another process has locked it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    announced = False
    while (held := try_lock(lock)) is None:
        if not announced:
            print_status("Another window is installing; waiting for it...")
            announced = True
        time.sleep(1)
    with held:
        yield
