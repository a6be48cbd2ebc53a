"""Fuzzes every reader of external data: no traceback, no hang, no runaway memory."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from scripts.core import paths
from scripts.core.errors import MusicGenError
from tests.faults.inputs import mutated, seeds
from tests.faults.structured import strategies

HANG = 5  # seconds
MEMORY = 500  # MB


def _readers(folder: Path) -> dict[str, Callable[[bytes], object]]:
    """Functions that read each kind of input as the program does."""
    from scripts.batch.interpreter import Interpreter
    from scripts.batch.order import Order
    from scripts.batch.order_file import read_order_file
    from scripts.core.settings import load_settings
    from scripts.library.index import LibraryIndex
    from scripts.library.playlists import load_playlists, read_m3u8
    from scripts.llm.gguf_file import read_language_model
    from scripts.production.recipe_json import read_recipe
    from scripts.request.build import build_spec
    from scripts.request.imported import build_piece_spec
    from scripts.request.request import SongRequest
    from scripts.request.request_json import request_from_json
    from scripts.score.open_piece import open_piece
    from scripts.styles.style import load_styles

    styles = load_styles(paths.DATA / "styles")
    interpreter = Interpreter(styles)
    defaults = Order(SongRequest("pop", "0.2"), 2, 1, "", 0.75, Path("out"))

    def write_input(name: str, data: bytes) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    def spec(data: bytes) -> object:
        try:
            request = request_from_json(json.loads(data))
        except (ValueError, RecursionError):
            request = SongRequest(data.decode("utf-8", "surrogateescape"))
        return build_spec(request, styles, 1)

    def piece(name: str) -> Callable[[bytes], object]:
        def read(data: bytes) -> object:
            found = open_piece(write_input(name, data))
            return build_piece_spec(found, SongRequest("pop", ""), styles, 1)

        return read

    def sound(data: bytes) -> object:
        songs = folder / "songs"
        songs.mkdir(exist_ok=True)
        ending = (
            "flac"
            if data[:4] == b"fLaC"
            else "ogg"
            if data[:4] == b"OggS"
            else "wav"
            if data[:4] == b"RIFF"
            else "mp3"
        )
        path = songs / f"a.{ending}"
        path.write_bytes(data)
        library = LibraryIndex(folder / "library.db", songs)
        try:
            library.index_song(path)
            library.rate(path, 4)
            library.write_changes()
            assert all(s.title.isprintable() for s in library.songs())
            assert not library.notice, library.notice
        finally:
            library.close()
            path.unlink()
        return None

    def details(data: bytes) -> object:
        songs = folder / "songs"
        songs.mkdir(exist_ok=True)
        (songs / "b.mp3").write_bytes(b"")
        (songs / "b.json").write_bytes(data)
        library = LibraryIndex(folder / "library.db", songs)
        try:
            library.index_song(songs / "b.mp3")
            assert not library.notice, library.notice
            for song in library.songs():
                dict(song.details)
        finally:
            library.close()
        return read_recipe(songs / "b.json", styles)

    def search(data: bytes) -> object:
        library = LibraryIndex(folder / "library.db", folder)
        try:
            library.find(data.decode("utf-8", "surrogateescape"))
            assert not library.notice, library.notice
        finally:
            library.close()
        return None

    def read_settings(data: bytes) -> object:
        for old in folder.glob("persistent.json.broken*"):  # each damaged file is set aside
            old.unlink()
        return load_settings(write_input("persistent.json", data))

    def playlist(data: bytes) -> object:
        found, _ = read_m3u8(write_input("a.m3u8", data))
        assert not found
        return load_playlists(write_input("p.json", data))

    mail = folder / "mail"
    mail.mkdir(exist_ok=True)
    if not (mail / "tune.abc").exists():
        (mail / "tune.abc").write_text("X:1\nK:C\nCDEF|\n")
        (mail / "folder").mkdir()
        (mail / "link").symlink_to("/etc/hostname")
        os.mkfifo(mail / "fifo")

    def mailed_recipe(data: bytes) -> object:
        (mail / "recipe.json").write_bytes(data)
        recipe = read_recipe(mail / "recipe.json", styles)
        if recipe.file is None:
            return recipe
        if not recipe.notes:
            assert recipe.file.resolve().is_relative_to(mail.resolve()), recipe.file
        found = recipe.load_piece()
        return build_piece_spec(found, recipe.request, styles, recipe.seed)

    def sentence(data: bytes) -> object:
        understood = interpreter.interpret(
            data.decode("utf-8", "surrogateescape"), SongRequest("", length="")
        )
        shown = (understood.request.label, *understood.unknown, *understood.notes)
        assert all(line.isprintable() for line in shown), shown
        return understood

    return {
        "sentences": sentence,
        "structured ABC": piece("s.abc"),
        "MusicXML archives": piece("s.mxl"),
        "chat templates": _render_in_child,
        "mailed recipes": mailed_recipe,
        "requests": spec,
        "ABC": piece("a.abc"),
        "MIDI": piece("a.mid"),
        "MusicXML": piece("a.musicxml"),
        "settings": read_settings,
        "job files": lambda data: read_order_file(
            write_input("jobs.csv", data), defaults, interpreter
        ),
        "tags": sound,
        "GGUF headers": lambda data: read_language_model(write_input("a.gguf", data)),
        "song details": details,
        "playlists": playlist,
        "searches": search,
    }


def _render_in_child(data: bytes) -> object:
    """Render a chat template in a process of its own, as the program does."""
    from scripts.core.errors import ChatTemplateError
    from scripts.llm.chat_template import render_chat_template

    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        gc.callbacks.clear()  # hypothesis's would end Python in a deep recursion
        status, text = 0, ""
        try:
            render_chat_template(data.decode("utf-8", "replace"), "Hello", "<s>", "</s>")
        except ChatTemplateError as error:
            status, text = 1, str(error)
        except BaseException as error:
            status, text = 2, repr(error)
        os.write(writer, text.encode("utf-8", "replace")[:4000])
        os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode("utf-8")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 1:
        raise ChatTemplateError(text)
    if status:
        raise RuntimeError(f"status {status}: {text}")
    return None


class _Hang(BaseException):
    """Raised when an input takes too long."""


def _alarm(*_: object) -> None:
    raise _Hang


def fuzz_reader(name: str, examples: int, start: int) -> dict[str, Any]:
    """Fuzz one reader in this process; returns what was found."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _alarm)
    rejected = 0
    worst = 0.0
    faults: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        reader = _readers(folder)[name]
        inputs = seeds(folder)
        valid, tokens = inputs.get(name, ([], []))
        for data in valid:
            try:
                reader(data)
            except MusicGenError:
                if name not in ("playlists", "GGUF headers"):
                    raise
        strategy = strategies(inputs).get(name) or mutated(valid, tokens)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        @seed(start)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def feed(data: bytes) -> None:
            nonlocal rejected, worst
            started = time.perf_counter()
            signal.alarm(HANG)
            try:
                reader(data)
            except MusicGenError as error:
                rejected += 1
                if "\n" in str(error) or "\x1b" in str(error):
                    faults["a message of several lines"] = repr(data[:200])
            except _Hang:
                faults[f"over {HANG} s"] = repr(data[:200])
            except Exception as error:
                frame = error.__traceback__
                while frame and frame.tb_next:
                    frame = frame.tb_next
                where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else ""
                faults.setdefault(
                    f"{type(error).__name__}: {error} at {where}"[:300], repr(data[:300])
                )
            finally:
                signal.alarm(0)
            worst = max(worst, time.perf_counter() - started)

        feed()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if grown / 1024 > MEMORY:
        faults[f"{grown / 1024:.0f} MB of memory"] = ""
    return {
        "reader": name,
        "inputs": examples,
        "refused in one line": rejected,
        "slowest_ms": round(1000 * worst),
        "memory_mb": round(grown / 1024),
        "faults": faults,
    }


def _in_child(name: str, examples: int, start: int, pipe: Any) -> None:
    pipe.send(fuzz_reader(name, examples, start))


def main(examples: int, start: int, only: str) -> int:
    """Fuzz every reader in its own process; prints one JSON line each."""
    context, fault_count = multiprocessing.get_context("spawn"), 0
    with tempfile.TemporaryDirectory() as folder:
        inputs = seeds(Path(folder))
        names = [n for n in (*inputs, *strategies(inputs)) if only in n]
    for name in names:
        receiver, sender = context.Pipe()
        child = context.Process(target=_in_child, args=(name, examples, start, sender))
        child.start()
        sender.close()
        try:
            row = receiver.recv()
        except EOFError:
            child.join()
            row = {"reader": name, "faults": {f"the process ended with {child.exitcode}": ""}}
        child.join()
        fault_count += len(row["faults"])
        print(json.dumps(row), flush=True)
    print(f"{fault_count} faults", file=sys.stderr)
    return 1 if fault_count else 0
