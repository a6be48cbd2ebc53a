"""Process that makes the first seconds of a song for the menu.

Request: ``{"op": "preview", "order": {...}, "out": PATH}``; events: ``progress``, ``result``,
``error``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from scripts.batch.composing import ComposingService
from scripts.batch.order import order_from_json
from scripts.core import paths
from scripts.core.errors import MusicGenError
from scripts.core.settings import load_settings
from scripts.production.preview import render_preview


def main() -> None:
    """Serve one request from standard input; its end cancels the work."""
    request = json.loads(sys.stdin.readline())
    cancelled = threading.Event()
    threading.Thread(target=_watch_input, args=(cancelled,), daemon=True).start()

    def send(event: str, **fields: object) -> None:
        print(json.dumps({"event": event, **fields}), flush=True)

    settings, _ = load_settings(paths.SETTINGS)
    out = Path(request["out"])
    try:
        order = order_from_json(request["order"])
        with ComposingService(settings, cancelled.is_set) as composing:
            recipe = composing.compose_song(
                order, 1, 0, lambda stage, done, text: send("progress", done=done)
            )
        out.parent.mkdir(parents=True, exist_ok=True)
        render_preview(recipe, out, cancelled.is_set)
        send("result", path=str(out))
    except MusicGenError as error:
        send("error", message=str(error))
    sys.stdout.flush()
    os._exit(0)  # the reader thread may wait for input


def _watch_input(cancelled: threading.Event) -> None:
    sys.stdin.read()
    cancelled.set()


if __name__ == "__main__":
    main()
