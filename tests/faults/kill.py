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

from scripts.batch.states import UNFINISHED_STATES, StoredOrder
from scripts.batch.store import OrderStore
from tests.conftest import ROOT, VOCABS
from tests.faults.songs import LENGTH, count_songs, find_leftovers, find_problems
from tests.support.random_models import write_random_model

# Python's resource tracker prints a traceback when it is killed and restarted; it is harmless.
TRACKER = f'Traceback (most recent call last):\n  File "{resource_tracker.__file__}", line'
SONGS = 20  # of each order
HOSTILE_SONGS = 6
HOSTILE_MODELS = {
    "stranger": "{{ 1/0 }}",
    "endless": "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
}
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
    if _has_unfinished_orders(home):
        return start(home, "--resume")
    jobs = home / "jobs.json"
    good = {"styles": "folk", "songs": SONGS, "length": LENGTH, "seed": seed}
    orders = [good]
    if (home / "models" / "stranger.gguf").exists():
        first, last = ({**good, "songs": HOSTILE_SONGS, "model": name} for name in HOSTILE_MODELS)
        orders = [first, good, last]
    jobs.write_text(json.dumps(orders), encoding="utf-8")
    return start(home, "--job-file", str(jobs))


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
        closed = [o for o in store.orders(("done", "stopped")) if not _is_hostile(o)]
        failed = [f"song {n}: {why}" for order in closed for n, why in store.failures(order.id)]
        for order in closed:
            store.retry_failed(order.id)
        return failed
    finally:
        store.close()


def _has_unfinished_orders(home: Path) -> bool:
    store = OrderStore(home / "data" / "jobs.db")
    try:
        return any(not _is_hostile(order) for order in store.orders(UNFINISHED_STATES))
    finally:
        store.close()


def _is_hostile(order: StoredOrder) -> bool:
    return order.order.model in HOSTILE_MODELS


def _summarize(home: Path, killed: Counter[str], broken: list[str]) -> dict[str, object]:
    out = home / "output"
    store = OrderStore(home / "data" / "jobs.db")
    everything = store.orders(("done", "cancelled", *UNFINISHED_STATES))
    orders = [order for order in everything if not _is_hostile(order)]
    hostile = [order for order in everything if _is_hostile(order)]
    reasons = Counter(why for order in hostile for _, why in store.failures(order.id))
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
        "hostile orders": len(hostile),
        "why their songs failed": dict(reasons),
        "left over": find_leftovers(out),
        "tracebacks": output.count("Traceback") - output.count(TRACKER),
    }


def write_hostile_models(folder: Path) -> None:
    """Write models whose chat templates fail or do not end."""
    for name, template in HOSTILE_MODELS.items():
        vocabulary = VOCABS / "ggml-vocab-llama-spm.gguf"
        write_random_model(vocabulary, folder / f"{name}.gguf", chat_template=template)


def main(home: Path, moments: int, seed: int) -> None:
    print(json.dumps(kill_at_random(home, moments, seed), indent=1))
