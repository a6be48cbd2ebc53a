"""``launcher.py doctor --report``: a ZIP file to attach to a bug report."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path

from scripts import __version__
from scripts.cli.doctor import Check
from scripts.core import paths
from scripts.core.atomic_files import PART_SUFFIX, storage_error
from scripts.core.input_files import read_input_text
from scripts.core.log import LOG_FILE_NAME, MAX_BYTES
from scripts.core.settings import Settings


def write_report(settings: Settings, checks: Sequence[Check]) -> Path:
    """Write log, versions, settings and checks into a ZIP file in ``LLM_MUSIC_GEN_HOME``.

    The user's home folder is replaced by ``~``.

    Raises
    ------
    StorageError
        When the file cannot be written.
    """
    path = paths.HOME / f"llm-music-gen-report-{time.strftime('%Y%m%d-%H%M%S')}.zip"
    partial = path.with_name(path.name + PART_SUFFIX)
    values = {name: value for name, value in asdict(settings).items() if name != "unknown"}
    texts = {
        "versions.txt": _versions(),
        "checks.txt": "".join(f"{c.name}: {c.is_ok}: {c.details}\n" for c in checks),
        "settings.json": json.dumps(values, indent=2, ensure_ascii=False, default=str) + "\n",
    }
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, _redact(text))
            for file in sorted(paths.LOG.glob(f"{LOG_FILE_NAME}*")):
                if file.suffix != ".lmg-lock":
                    text = read_input_text(file, 2 * MAX_BYTES, errors="replace")
                    archive.writestr(f"log/{file.name}", _redact(text))
        os.replace(partial, path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return path


def _redact(text: str) -> bytes:
    """Encode text without the home folder; file names may not be UTF-8."""
    return redact_home(text).encode("utf-8", "backslashreplace")


def redact_home(text: str) -> str:
    """Replace the user's home folder by ``~``, also with JSON's doubled backslashes."""
    for home in (str(Path.home().resolve()), str(Path.home())):  # may be a symbolic link
        for name in (home, home.replace("\\", "\\\\"), home.replace("\\", "/")):
            if len(name) > 1:
                text = text.replace(name, "~")
    return text


def _versions() -> str:
    lines = [
        f"llm-music-gen {__version__}",
        f"Python {sys.version}",
        f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} threads",
    ]
    packages = {d.metadata["Name"]: d.version for d in distributions()}
    lines += [f"{name} {version}" for name, version in sorted(packages.items())]
    return "\n".join(lines) + "\n"
