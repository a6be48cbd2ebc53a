"""The preview of a song that is about to be ordered: made by a child process."""

from __future__ import annotations

import queue

from scripts.batch.order import Order
from scripts.core import paths
from scripts.core.child import ChildProcess

_WORKER = "scripts.batch.preview_worker"


class PreviewProcess:
    """Makes the first seconds of an order's first song in the background.

    Parameters
    ----------
    order : Order

    Attributes
    ----------
    path : Path
        The MP3, once `is_done` and without a `problem`.
    problem : str
        Why it failed; empty if it did not.
    is_done : bool
    fraction : float
        Of the composing that is done, 0 to 1.
    """

    def __init__(self, order: Order) -> None:
        self.path = paths.PREVIEW / f"preview {order.seed}.mp3"
        self.problem, self.is_done, self.fraction = "", False, 0.0
        _delete_previews()
        self._child = ChildProcess(_WORKER)
        self._child.send({"order": order.to_json(), "out": str(self.path.absolute())})

    def poll(self) -> bool:
        """Receive what has happened; return whether it is done."""
        while not self.is_done:
            try:
                message = self._child.receive(0.001)
            except queue.Empty:
                break
            if message is None:
                self.problem = f"the preview failed: {self._child.describe_exit()}"
            elif message["event"] == "progress":
                self.fraction = float(message["done"])
                continue
            elif message["event"] == "error":
                self.problem = str(message["message"])
            self.is_done = True
        return self.is_done

    def close(self) -> None:
        """Stop the process and delete its files."""
        self._child.stop(grace=0.5)
        _delete_previews()


def _delete_previews() -> None:
    """Delete the previews, also those that a killed menu left."""
    for path in paths.PREVIEW.glob("preview *"):
        try:
            path.unlink(missing_ok=True)
        except OSError:
            continue  # still open on Windows
