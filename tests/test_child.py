"""Child processes: their end is detected even while their own children keep running."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from mutagen.mp3 import MP3

from scripts.audio.mp3 import encode_stream, ffmpeg_path
from scripts.core.audio_format import RATE
from scripts.core.child import ChildProcess
from scripts.core.file_lock import try_lock
from tests.conftest import ROOT
from tests.support.processes import is_running
from tests.support.waiting import wait_until

SLEEP = "import time; time.sleep(600)"


@pytest.mark.slow
def test_the_end_of_a_child_is_detected_while_its_pipes_stay_open() -> None:
    started = (
        f"p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); "
        "print(json.dumps({'pid': p.pid}))"
    )
    child = ChildProcess("timeit", ["-n1", "-r1", "-s", "import json, subprocess, sys", started])
    first = child.receive(60)
    assert first is not None
    try:
        assert child.receive(60) is None
        assert is_running(first["pid"])
    finally:
        psutil.Process(first["pid"]).kill()
    assert child.receive(1) is None  # also when called again
    assert child.stop() == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the fake ffmpeg is a shell script")
def test_encoding_ends_while_the_stderr_of_ffmpeg_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, pid = tmp_path / "ffmpeg", tmp_path / "pid"
    script.write_text(
        f"#!/bin/sh\nsleep 600 </dev/null >/dev/null & echo $! > '{pid}'\n"
        f"exec '{ffmpeg_path()}' \"$@\"\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(script))
    second = np.zeros((RATE, 2), np.float32)
    try:
        assert encode_stream([second] * 3, tmp_path / "x.mp3", 128, lambda n: None) == 3 * RATE
        assert is_running(int(pid.read_text()))
    finally:
        psutil.Process(int(pid.read_text())).kill()
    assert MP3(tmp_path / "x.mp3").info.length == pytest.approx(3, abs=0.1)


def test_a_file_is_locked_by_one_process_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.lmg-lock"
    code = (
        "import sys; from pathlib import Path; from scripts.core.file_lock import try_lock\n"
        "lock = try_lock(Path(sys.argv[1])); print(lock is not None, flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        assert try_lock(path) is None
        other.kill()
        other.wait()
        with wait_until(lambda: try_lock(path)) as lock:
            assert lock.path == path
