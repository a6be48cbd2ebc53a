"""Download of models from the Hugging Face hub: only on request, complete or not at all."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from scripts.core.atomic_files import rename, storage_error
from scripts.core.errors import Cancelled, ModelError
from scripts.llm.downloads import (
    ModelDownload,
    ProgressCallback,
    check_existing,
    check_free_space,
    download_lock,
    file_sha256,
)
from scripts.llm.gguf_file import read_language_model

CHUNK_SIZE = 1 << 18  # bytes; what is lost when the connection breaks
_MAX_ATTEMPTS = 5  # in a row without a byte
_RETRY_DELAY = 1.0  # seconds
_OK = 200  # HTTP status of a whole file; a range has 206
_log = logging.getLogger(__name__)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def download_model(download: ModelDownload, folder: Path, progress: ProgressCallback) -> Path:
    """Download a model into `folder`, resuming a partial download.

    A model that is already there is checked, not downloaded again.

    Returns
    -------
    Path
        The model file. Its size, its header, and its SHA-256 where the hub reports one have been
        verified.

    Raises
    ------
    Cancelled
        After Ctrl+C; the partial download is kept.
    ModelError, StorageError
        When the download fails; the partial download is kept unless it is damaged.
    """
    hub = _import_hub()
    target = folder / download.file
    token = os.environ.get("HF_TOKEN", "").strip() or None
    with _translate_network_errors(download):
        url = hub.hf_hub_url(download.repo, download.file)
        meta = hub.get_hf_file_metadata(url, token=token)
    if not meta.size or not meta.etag:
        raise ModelError(f"{download.file}: the hub did not report its size; try again later")
    digest = meta.etag if _SHA256.fullmatch(meta.etag) else ""
    if download.sha256 and digest and digest != download.sha256:
        raise ModelError(
            f"{download.file}: the checksum of the file at {download.repo} differs from the "
            "expected one; if you trust the file, add it as OWNER/REPOSITORY/FILE.gguf"
        )
    try:
        if target.exists():
            return check_existing(target, meta.size, digest)
        folder.mkdir(parents=True, exist_ok=True)
        content = hashlib.sha256(meta.etag.encode()).hexdigest()[:12]  # never put hub text in paths
        part = folder / f"{download.file}.{content}.lmg-part"
        with download_lock(part), part.open("ab") as file:
            have = file.tell()
            if have > meta.size:
                file.truncate(0)
                have = 0
            check_free_space(folder, meta.size - have)
            with _translate_network_errors(download):
                if have < meta.size:
                    _stream(meta.location, file, meta.size, progress)
            file.flush()
            os.fsync(file.fileno())
            if file.tell() != meta.size:
                raise ModelError(
                    f"{download.file}: the download does not have the size the hub reported; "
                    "try again"
                )
        _verify(part, digest, download)
        rename(part, target)
        for stale in folder.glob(f"{download.file}.*.lmg-part"):  # of earlier versions of the file
            stale.unlink(missing_ok=True)
    except KeyboardInterrupt:
        raise Cancelled(
            f"{download.file}: interrupted; run the same command again to resume"
        ) from None
    except OSError as error:
        raise storage_error(error, target) from error
    return target


def _import_hub() -> Any:
    # Plain HTTP downloads can be resumed and pass proxies. No telemetry is sent.
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import huggingface_hub

    library: Any = huggingface_hub
    library.logging.set_verbosity_error()
    return library


def _stream(url: str, file: BinaryIO, size: int, progress: ProgressCallback) -> None:
    """Append the rest of a file, resuming when the connection breaks.

    Parameters
    ----------
    url : str
    file : BinaryIO
        Opened for appending; what it holds is not downloaded again.
    size : int
        Bytes of the whole file.
    progress : callable
        Called with the bytes that are there, and `size`.
    """
    import httpx2

    broken = (httpx2.TimeoutException, httpx2.ConnectError, httpx2.RemoteProtocolError)
    attempts = 0  # in a row without a byte
    while True:
        have = file.tell()
        try:
            _stream_once(url, file, size, progress)
            return
        except broken:
            attempts = 0 if file.tell() > have else attempts + 1
            if attempts == _MAX_ATTEMPTS:
                raise
            _log.info("the connection broke at byte %d; resuming", file.tell())
            time.sleep(_RETRY_DELAY)


def _stream_once(url: str, file: BinaryIO, size: int, progress: ProgressCallback) -> None:
    from huggingface_hub import constants, get_session, hf_raise_for_status

    have = file.tell()
    headers = {"Range": f"bytes={have}-"} if have else {}
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with get_session().stream("GET", url, headers=headers, timeout=timeout) as response:
        hf_raise_for_status(response)
        if have and response.status_code == _OK:  # the server ignores ranges
            file.truncate(0)
            have = 0
        progress(have, size)
        for chunk in response.iter_raw(CHUNK_SIZE):
            file.write(chunk)
            have += len(chunk)
            progress(have, size)


def _verify(part: Path, digest: str, download: ModelDownload) -> None:
    """Check the checksum and the header of a download; delete a damaged file."""
    try:
        if digest and file_sha256(part) != digest:
            raise ModelError(
                f"{download.file}: the download is damaged (its checksum is not the "
                "hub's); download it again"
            )
        read_language_model(part)
    except ModelError as error:
        part.unlink(missing_ok=True)
        raise ModelError(str(error).replace(part.name, download.file)) from error


def _proxy_address() -> str:
    """Host and port of the proxy in use, without user name and password; empty without one."""
    found = urllib.request.getproxies()
    address = urlsplit(found.get("https") or found.get("http") or found.get("all") or "")
    return f"{address.hostname}:{address.port}" if address.hostname else ""


def _proxy_error(where: str) -> ModelError:
    return ModelError(
        f"{where}: the proxy {_proxy_address()} does not let the download through; set HTTPS_PROXY="
        "http://NAME:PASSWORD@HOST:PORT"
    )


@contextmanager
def _translate_network_errors(download: ModelDownload) -> Iterator[None]:
    """Turn network errors into :class:`ModelError` with a message for the user."""
    import httpx2
    from huggingface_hub import errors

    where = f"{download.repo}/{download.file}"
    try:
        yield
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{where}: you must agree to its terms first; do so on its page on "
            "https://huggingface.co and set HF_TOKEN"
        ) from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "no status")
        if status in (401, 404):  # the hub does not reveal whether a private file exists
            raise ModelError(
                f"{where}: no such file on the hub, or it is not public; find it on "
                "https://huggingface.co and name it OWNER/REPOSITORY/FILE.gguf"
            ) from error
        raise ModelError(f"{where}: the hub answers with {status}; try again later") from error
    except (ValueError, httpx2.ProxyError, httpx2.UnsupportedProtocol, ImportError) as error:
        raise _proxy_error(where) from error
    except httpx2.TimeoutException as error:
        raise ModelError(
            f"{where}: the connection timed out; run the same command again to resume"
        ) from error
    except (httpx2.TransportError, ConnectionError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ModelError(
                f"{where}: the network's certificate is not known, as behind a "
                "company proxy; set SSL_CERT_FILE to its certificate file"
            ) from error
        way = f"the network and the proxy {_proxy_address()}" if _proxy_address() else "the network"
        raise ModelError(
            f"{where}: no connection; check {way}, then run the same command again to resume"
        ) from error
