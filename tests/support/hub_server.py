"""Local Hugging Face hub: HEAD with the hub's headers, a redirect, GET with ranges."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub:
    """Serves files under ``/OWNER/NAME/resolve/main/FILE``; its attributes make it misbehave."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, str]] = []  # method, path, range
        self.break_after: int | None = None  # bytes of a GET after which the connection is cut
        self.delay = 0.0  # seconds between pieces of 64 KiB
        self.status = 0  # answer every request with this status code
        self.damage = False  # send wrong bytes
        self.etag = ""  # sent instead of the file's SHA-256
        self.reported_size: int | None = None  # sent instead of the file's size
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub._answer(self, "HEAD")

            def do_GET(self) -> None:
                hub._answer(self, "GET")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _answer(self, h: BaseHTTPRequestHandler, method: str) -> None:
        path = h.path.split("?")[0]
        self.requests.append((method, path, h.headers.get("Range", "")))
        name = path.removeprefix("/cdn")
        data = self.files.get(name)
        if self.status or data is None:
            h.send_response(self.status or 404)
            if not self.status:
                h.send_header("X-Error-Code", "EntryNotFound")
            h.send_header("Content-Length", "0")
            h.end_headers()
            return
        size = self.reported_size or len(data)
        if not path.startswith("/cdn"):  # like the hub, redirect to another host
            h.send_response(302)
            h.send_header("Location", self.url.replace("127.0.0.1", "localhost") + f"/cdn{name}")
            h.send_header("X-Repo-Commit", "c" * 40)
            h.send_header("X-Linked-Size", str(size))
            etag = self.etag or hashlib.sha256(data).hexdigest()
            h.send_header("X-Linked-Etag", f'"{etag}"')
            h.send_header("Content-Length", "0")
            h.end_headers()
            return
        start = 0
        if h.headers.get("Range"):
            start = int(h.headers["Range"].removeprefix("bytes=").split("-")[0])
            h.send_response(206)
            h.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            h.send_response(200)
        h.send_header("Content-Length", str(len(data) - start))
        h.end_headers()
        if method == "HEAD":
            return
        body = bytes(len(data)) if self.damage else data
        sent = start
        while sent < len(data):
            piece = body[sent : sent + 65536]
            if self.break_after is not None and sent - start + len(piece) > self.break_after:
                h.wfile.write(piece[: self.break_after - (sent - start)])
                h.wfile.flush()
                h.close_connection = True
                h.connection.close()
                return
            try:
                h.wfile.write(piece)
            except OSError:  # the client closed the connection
                h.close_connection = True
                return
            sent += len(piece)
            time.sleep(self.delay)


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.server.shutdown()
        hub.server.server_close()
