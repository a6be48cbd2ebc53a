"""A real Dask scheduler and workers on this computer, started with Dask's own commands."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import psutil

from tests.conftest import ROOT
from tests.support.waiting import until


class DaskHere:
    """A scheduler and workers; a context manager.

    Parameters
    ----------
    folder : Path
        Where they write.
    workers : int
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        self._said = folder / "scheduler.txt"
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", log=self._said
        )
        found = until(lambda: re.search(r"tcp://127\.0\.0\.1:\d+", self._words()), why=self._words)
        self.address = str(found[0])
        self.workers = [
            self._start(
                "worker",
                self.address,
                "--nthreads",
                "1",
                "--nworkers",
                "1",
                "--no-dashboard",
                "--no-nanny",
                "--host",
                "127.0.0.1",
                "--local-directory",
                str(folder),
                log=folder / f"worker{n}.txt",
            )
            for n in range(workers)
        ]
        for n in range(workers):
            until(lambda n=n: "Registered to" in (folder / f"worker{n}.txt").read_text())

    def _words(self) -> str:
        return self._said.read_text() if self._said.exists() else ""

    @staticmethod
    def _start(*words: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                cwd=ROOT,
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info"},
                start_new_session=True,
            )

    def busy(self) -> psutil.Process | None:
        """A worker that is in the middle of a song: its ffmpeg runs."""
        for worker in self.workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(worker.pid)
                if any("ffmpeg" in p.name() for p in process.children(recursive=True)):
                    return process
        return None

    def __enter__(self) -> DaskHere:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
