"""Kills processes of a batch at random moments, again and again, and looks what is lost."""

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

from scripts.batch.store import UNFINISHED, OrderStore
from tests.conftest import ROOT
from tests.faults.songs import LENGTH, leftovers, made, problems_of

# Python's own resource tracker complains when it is killed and begun anew; it costs nothing.
TRACKER = f'Traceback (most recent call last):\n  File "{resource_tracker.__file__}", line'
SONGS = 20  # of each order
_LATEST = 5.0  # seconds after the start of which a moment is drawn


def start(home: Path, *words: str) -> subprocess.Popen[bytes]:
    with (home / "said.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "scripts.cli.main", "generate", *words, "--json"],
            cwd=ROOT,
            env={**os.environ, "LLM_MUSIC_GEN_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def order_again(home: Path, seed: int) -> subprocess.Popen[bytes]:
    """A new order, or the unfinished one."""
    jobs = OrderStore(home / "data" / "jobs.db")
    left = jobs.orders(UNFINISHED)
    jobs.close()
    return (
        start(home, "--resume")
        if left
        else start(home, "folk", "--songs", str(SONGS), "--length", LENGTH, "--seed", str(seed))
    )


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        head = psutil.Process(process.pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def name_of(process: psutil.Process) -> str:
    """What a process of the family does."""
    words = " ".join(process.cmdline())
    for sign, name in (
        ("scripts.llm.worker", "the model"),
        ("spawn_main", "a player"),
        ("ffmpeg", "ffmpeg"),
        ("resource_tracker", "the tracker"),
    ):
        if sign in words:
            return name
    return "the program"


def kill_at_random(home: Path, moments: int, seed: int) -> dict[str, object]:
    """Kill -9 at so many moments: all processes at once, or one of them."""
    rng = random.Random(seed)
    killed: Counter[str] = Counter()
    broken: list[str] = []
    process = order_again(home, 0)
    count = 0
    while count < moments:
        time.sleep(rng.uniform(0.05, _LATEST))
        members = family(process)
        if process.poll() is not None or not members:
            process = order_again(home, count)
            continue
        try:
            if rng.random() < 0.5:
                killed["all at once"] += 1
                for member in members:
                    member.kill()
            else:
                victim = rng.choice(members)
                killed[name_of(victim)] += 1
                victim.kill()
        except psutil.NoSuchProcess:
            pass
        count += 1
        if members[0].is_running() and members[0].status() != psutil.STATUS_ZOMBIE:
            continue
        process.wait()
        broken += problems_of(home / "output") if count % 10 == 0 else []
        process = order_again(home, count)
        print(
            f"{count} moments, {len(list((home / 'output').glob('*.mp3')))} songs",
            file=sys.stderr,
            flush=True,
        )
    process.wait()
    _finish(home)
    failed = _retry(home)
    _finish(home)
    return {**_counted(home, killed, broken), "given up until they were asked for again": failed}


def _finish(home: Path) -> None:
    while _unfinished(home):
        order_again(home, 0).wait()


def _retry(home: Path) -> list[str]:
    """Ask for what has failed again, as a user does; why it had failed."""
    jobs = OrderStore(home / "data" / "jobs.db")
    try:
        over = jobs.orders(("done", "stopped"))
        failed = [f"song {n}: {why}" for job in over for n, why in jobs.failures(job.id)]
        for job in over:
            jobs.retry_failed(job.id)
        return failed
    finally:
        jobs.close()


def _unfinished(home: Path) -> bool:
    jobs = OrderStore(home / "data" / "jobs.db")
    try:
        return bool(jobs.orders(UNFINISHED))
    finally:
        jobs.close()


def _counted(home: Path, killed: Counter[str], broken: list[str]) -> dict[str, object]:
    out = home / "output"
    jobs = OrderStore(home / "data" / "jobs.db")
    orders = jobs.orders(("done", "cancelled", *UNFINISHED))
    failed = [reason for job in orders for reason in jobs.failures(job.id)]
    wanted = {(job.uid, n) for job in orders for n in range(1, job.order.songs + 1)}
    jobs.close()
    found = made(out)
    said = (home / "said.txt").read_text(encoding="utf-8", errors="replace")
    return {
        "killed": dict(killed),
        "orders": len(orders),
        "songs": sum(found.values()),
        "half songs": [*broken, *problems_of(out)],
        "lost": len(wanted - set(found)),
        "made twice": sum(n - 1 for n in found.values()),
        "failed": failed,
        "left over": leftovers(out),
        "tracebacks": said.count("Traceback") - said.count(TRACKER),
    }


def main(home: Path, moments: int, seed: int) -> None:
    print(json.dumps(kill_at_random(home, moments, seed), indent=1))
