"""Kills processes of a batch at random moments and checks what is lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from multiprocessing import resource_tracker
from pathlib import Path

import psutil

from scripts.batch.states import UNFINISHED_STATES
from scripts.batch.store import OrderStore
from tests.conftest import ROOT
from tests.faults.songs import LENGTH, count_songs, find_leftovers, find_problems

# Python's resource tracker prints a traceback when it is killed and restarted; it is harmless.
TRACKER = f'Traceback (most recent call last):\n  File "{resource_tracker.__file__}", line'
SONGS = 20  # of each order
_MAX_WAIT = 5.0  # seconds; the longest wait before a kill


def start(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (home / "output.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "scripts.cli", "generate", *arguments, "--json"],
            cwd=ROOT,
            env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def start_or_resume(home: Path, seed: int) -> subprocess.Popen[bytes]:
    """Start a new order, or resume the unfinished one."""
    store = OrderStore(home / "data" / "jobs.db")
    unfinished = store.orders(UNFINISHED_STATES)
    store.close()
    return (
        start(home, "--resume")
        if unfinished
        else start(home, "folk", "--songs", str(SONGS), "--length", LENGTH, "--seed", str(seed))
    )


def process_tree(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def role_of(process: psutil.Process) -> str:
    """Name what a process of the batch does."""
    command = " ".join(process.cmdline())
    for marker, name in (
        ("scripts.llm.worker", "the model"),
        ("spawn_main", "a player"),
        ("ffmpeg", "ffmpeg"),
        ("resource_tracker", "the tracker"),
    ):
        if marker in command:
            return name
    return "the program"


def kill_at_random(home: Path, moments: int, seed: int) -> dict[str, object]:
    """Send SIGKILL at random moments, to all processes at once or to one of them."""
    rng = random.Random(seed)
    killed: Counter[str] = Counter()
    broken: list[str] = []
    process = start_or_resume(home, 0)
    count = 0
    while count < moments:
        time.sleep(rng.uniform(0.05, _MAX_WAIT))
        members = process_tree(process)
        if process.poll() is not None or not members:
            process = start_or_resume(home, count)
            continue
        try:
            if rng.random() < 0.5:
                killed["all at once"] += 1
                for member in members:
                    member.kill()
            else:
                victim = rng.choice(members)
                killed[role_of(victim)] += 1
                victim.kill()
        except psutil.NoSuchProcess:
            pass
        count += 1
        if members[0].is_running() and members[0].status() != psutil.STATUS_ZOMBIE:
            continue
        process.wait()
        broken += find_problems(home / "output") if count % 10 == 0 else []
        process = start_or_resume(home, count)
        print(
            f"{count} moments, {len(list((home / 'output').glob('*.mp3')))} songs",
            file=sys.stderr,
            flush=True,
        )
    process.wait()
    _finish_orders(home)
    failed = _retry_failed(home)
    _finish_orders(home)
    return {**_summarize(home, killed, broken), "given up until they were asked for again": failed}


def _finish_orders(home: Path) -> None:
    while _has_unfinished_orders(home):
        start_or_resume(home, 0).wait()


def _retry_failed(home: Path) -> list[str]:
    """Retry failed songs as a user does; returns why they had failed."""
    store = OrderStore(home / "data" / "jobs.db")
    try:
        closed = store.orders(("done", "stopped"))
        failed = [f"song {n}: {why}" for order in closed for n, why in store.failures(order.id)]
        for order in closed:
            store.retry_failed(order.id)
        return failed
    finally:
        store.close()


def _has_unfinished_orders(home: Path) -> bool:
    store = OrderStore(home / "data" / "jobs.db")
    try:
        return bool(store.orders(UNFINISHED_STATES))
    finally:
        store.close()


def _summarize(home: Path, killed: Counter[str], broken: list[str]) -> dict[str, object]:
    out = home / "output"
    store = OrderStore(home / "data" / "jobs.db")
    orders = store.orders(("done", "cancelled", *UNFINISHED_STATES))
    failed = [reason for order in orders for reason in store.failures(order.id)]
    expected = {(order.uid, n) for order in orders for n in range(1, order.order.songs + 1)}
    store.close()
    found = count_songs(out)
    output = (home / "output.txt").read_text(encoding="utf-8", errors="replace")
    return {
        "killed": dict(killed),
        "orders": len(orders),
        "songs": sum(found.values()),
        "half songs": [*broken, *find_problems(out)],
        "lost": len(expected - set(found)),
        "made twice": sum(n - 1 for n in found.values()),
        "failed": failed,
        "left over": find_leftovers(out),
        "tracebacks": output.count("Traceback") - output.count(TRACKER),
    }


def main(home: Path, moments: int, seed: int) -> None:
    print(json.dumps(kill_at_random(home, moments, seed), indent=1))
