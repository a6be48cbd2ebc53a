"""Fetches a model from the Hugging Face hub: only when asked, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from scripts.core.atomic_files import rename, storage_error
from scripts.core.errors import Cancelled, ModelError, StorageError
from scripts.llm.downloads import Offer
from scripts.llm.gguf_file import language_model

Progress = Callable[[int, int], None]
"""Told bytes there and bytes in all."""

MARGIN = 200_000_000  # bytes left free on the disk
PIECE = 1 << 18  # bytes; the library's own 10 MB would be lost at every break of the line
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetch(offer: Offer, folder: Path, progress: Progress) -> Path:
    """Fetch a model into `folder`; what an earlier try left is gone on with.

    Returns
    -------
    Path
        The model, checked: its size, its SHA-256 where the hub tells one, its header.

    Raises
    ------
    Cancelled
        What has come is kept for the next time.
    ModelError, StorageError
        In words; what has come is kept when it is good.
    """
    hub = _hub()
    target = folder / offer.file
    token = os.environ.get("HF_TOKEN", "").strip() or None
    with _explained(offer):
        url = hub.hf_hub_url(offer.repo, offer.file)
        meta = hub.get_hf_file_metadata(url, token=token)
    if not meta.size or not meta.etag:
        raise ModelError(f"{offer.file}: the hub does not tell its size; try again later")
    digest = meta.etag if _SHA256.fullmatch(meta.etag) else ""
    if offer.sha256 and digest and digest != offer.sha256:
        raise ModelError(
            f"{offer.file}: the file at {offer.repo} is not the one that this "
            "program knows; fetch it by its address if you trust it"
        )
    try:
        if target.exists():
            return _already(target, meta.size, digest)
        folder.mkdir(parents=True, exist_ok=True)
        content = hashlib.sha256(meta.etag.encode()).hexdigest()[:12]  # the hub's words are no path
        part = folder / f"{offer.file}.{content}.lmg-part"
        with _alone(part), part.open("ab") as file:
            have = file.tell()
            if have > meta.size:
                file.truncate(0)
                have = 0
            _check_room(folder, meta.size - have)
            with _explained(offer):
                _stream(meta.location, file, have, meta.size, progress)
            file.flush()
            os.fsync(file.fileno())
        _verify(part, digest, offer)
        rename(part, target)
        for stale in folder.glob(f"{offer.file}.*.lmg-part"):  # of what the hub had before
            stale.unlink(missing_ok=True)
    except KeyboardInterrupt:
        raise Cancelled(f"{offer.file}: stopped; the same words go on where it stopped") from None
    except OSError as error:
        if "Consistency check" in str(error):  # the library's word for a wrong size
            raise ModelError(
                f"{offer.file}: what came has not the size that the hub told; fetch it again"
            ) from error
        raise storage_error(error, target) from error
    return target


def _hub() -> Any:
    # Plain HTTP can be gone on with where it stopped, and passes proxies; nothing is reported.
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import huggingface_hub

    library: Any = huggingface_hub
    library.logging.set_verbosity_error()
    return library


def _already(target: Path, size: int, digest: str) -> Path:
    if target.stat().st_size != size or (digest and _sha256(target) != digest):
        raise StorageError(
            f"{target}: another file of this name is there; move it away and try again"
        )
    return target


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN:
        raise StorageError(
            f"{folder}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB "
            "are free; make room and try again"
        )


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Keep two programs from writing one file."""
    from filelock import FileLock, Timeout

    lock = FileLock(part.with_name(part.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StorageError(
            f"{part.parent}: another window is fetching this model; let it finish"
        ) from None
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)


def _stream(url: str, file: BinaryIO, have: int, size: int, progress: Progress) -> None:
    from huggingface_hub import constants
    from huggingface_hub.file_download import http_get

    constants.DOWNLOAD_CHUNK_SIZE = PIECE

    class Bar:
        """Stands in for the library's progress bar."""

        def __init__(self, *_: Any, initial: int = 0, **__: Any) -> None:
            self._there = initial
            progress(initial, size)

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

        def update(self, more: float | None = 1) -> None:
            self._there += int(more or 0)
            progress(self._there, size)

    http_get(url, file, resume_size=have, expected_size=size, tqdm_class=Bar)


def _verify(part: Path, digest: str, offer: Offer) -> None:
    """Compare the checksum and read the header; a bad file is taken away."""
    try:
        if digest and _sha256(part) != digest:
            raise ModelError(
                f"{offer.file}: what came is damaged (its checksum is not the "
                "hub's); fetch it again"
            )
        language_model(part)
    except ModelError as error:
        part.unlink(missing_ok=True)
        raise ModelError(str(error).replace(part.name, offer.file)) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _proxy() -> str:
    """The proxy that is used, without a name or password in it; empty when there is none."""
    found = urllib.request.getproxies()
    address = urlsplit(found.get("https") or found.get("http") or found.get("all") or "")
    return f"{address.hostname}:{address.port}" if address.hostname else ""


def _proxy_error(where: str) -> ModelError:
    return ModelError(
        f"{where}: the proxy {_proxy()} does not let it through; set HTTPS_PROXY="
        "http://NAME:PASSWORD@HOST:PORT"
    )


@contextmanager
def _explained(offer: Offer) -> Iterator[None]:
    """Turn the network's failures into words."""
    import httpx2
    from huggingface_hub import errors

    where = f"{offer.repo}/{offer.file}"
    try:
        yield
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{where}: its owner wants you to agree to terms first; do so on its "
            "page and set HF_TOKEN"
        ) from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "no status")
        if status in (401, 404):  # the hub does not tell strangers which of the two it is
            raise ModelError(
                f"{where}: the hub has no such file for everyone; look for it on "
                "https://huggingface.co and name it OWNER/REPOSITORY/FILE.gguf"
            ) from error
        raise ModelError(f"{where}: the hub answers with {status}; try again later") from error
    except ValueError as error:
        if "too large" not in str(error):
            raise _proxy_error(where) from error
        raise ModelError(
            f"{where}: over 50 GB are not given out this way; choose a smaller quantisation"
        ) from error
    except (httpx2.ProxyError, httpx2.UnsupportedProtocol, ImportError) as error:
        raise _proxy_error(where) from error
    except httpx2.TimeoutException as error:
        raise ModelError(
            f"{where}: the network is too slow; the same words go on where it stopped"
        ) from error
    except (httpx2.TransportError, ConnectionError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ModelError(
                f"{where}: the network's certificate is not known, as behind a "
                "company proxy; set SSL_CERT_FILE to its certificate file"
            ) from error
        way = f"the network and the proxy {_proxy()}" if _proxy() else "the network"
        raise ModelError(
            f"{where}: no connection; check {way}, the same words go on where it stopped"
        ) from error
