"""Base of the processes that run models: reads requests and writes events as JSON lines.

In a process of its own, neither a crash of llama.cpp nor its output can harm the program. When its
input ends, the process cancels its work and exits, so that none is left behind.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import IO, Any

from scripts.core.errors import MusicGenError

EXIT_GRACE = 10.0  # seconds to exit in after the program has ended


class JsonWorker:
    """Serves requests of the form ``{"op": NAME, ...}``.

    Parameters
    ----------
    out : file
        Events are written to it; ``error`` is the one for an error of the program's own tree.
    """

    def __init__(self, out: IO[str]) -> None:
        self.out = out
        self.requests: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.input_closed = threading.Event()
        self._out_lock = threading.Lock()

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        """Functions that handle each ``op``."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Import what is slow, before the first request."""

    def send_event(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, **fields}) + "\n"
        with self._out_lock:
            self.out.write(line)
            self.out.flush()

    def read_requests(self) -> None:
        """Read requests until the input ends, then cancel the work and force an exit if need be."""
        for line in sys.stdin:
            try:
                self.requests.put(json.loads(line))
            except ValueError:
                continue
        self.requests.put(None)
        self.input_closed.set()
        time.sleep(EXIT_GRACE)  # llama.cpp cannot be cancelled in the middle of a large batch
        os._exit(1)

    def run(self) -> None:
        threading.Thread(target=self.read_requests, daemon=True).start()
        self.prepare()
        handlers = self.handlers()
        while (request := self.requests.get()) is not None:
            handle = handlers.get(request["op"])
            if handle is None:
                continue
            try:
                handle(request)
            except MusicGenError as error:
                self.send_event("error", kind=type(error).__name__, message=str(error))


def serve(worker: type[JsonWorker]) -> None:
    """Serve requests; events go to standard output, anything else printed to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    status = 0
    try:
        worker(out).run()
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stderr.flush()
        os._exit(status)
