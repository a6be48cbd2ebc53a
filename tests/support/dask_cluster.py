"""Dask scheduler and workers on this computer, started with Dask's own commands."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import psutil

from tests.conftest import ROOT
from tests.support.waiting import wait_until


class LocalDaskCluster:
    """Dask scheduler and workers as processes; a context manager that kills them at the end.

    Parameters
    ----------
    folder : Path
        Folder of their logs and temporary files.
    workers : int
        Number of workers.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        self._scheduler_log = folder / "scheduler.txt"
        self.scheduler = self._start(
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            log=self._scheduler_log,
        )
        match = wait_until(
            lambda: re.search(r"tcp://127\.0\.0\.1:\d+", self._read_scheduler_log()),
            failure_message=self._read_scheduler_log,
        )
        self.address = str(match[0])
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
            wait_until(lambda n=n: "Registered to" in (folder / f"worker{n}.txt").read_text())

    def _read_scheduler_log(self) -> str:
        return self._scheduler_log.read_text() if self._scheduler_log.exists() else ""

    @staticmethod
    def _start(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=ROOT,
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info"},
                start_new_session=True,
            )

    def find_busy_worker(self) -> psutil.Process | None:
        """Return a worker that is rendering a song, which is one whose ffmpeg is running."""
        for worker in self.workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(worker.pid)
                if any("ffmpeg" in p.name() for p in process.children(recursive=True)):
                    return process
        return None

    def __enter__(self) -> LocalDaskCluster:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
