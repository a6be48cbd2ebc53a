"""The commands. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from scripts import paths
from scripts.brief import MOST_SONGS, Wishes
from scripts.child import WORKER, Child
from scripts.errors import Cancelled, MusicGenError, UsageError
from scripts.progress import emit, percent_bar
from scripts.settings import Settings, load_settings

ALSO = ("wav", "mid", "abc", "musicxml", "stems")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


def build_parser() -> argparse.ArgumentParser:
    """The command line of the contract."""
    parser = _Parser(prog="launcher.py", description="Composes songs on this computer and plays "
                     "them. Without a command: the menu. 'test' sets up and runs the tests.")
    common = _Parser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show tracebacks")  # see main
    common.add_argument("--json", action="store_true", help="one JSON object a line")
    commands = parser.add_subparsers(dest="command", parser_class=_Parser)
    song = _Parser(add_help=False)
    song.add_argument("--length", metavar="L", help="3 (minutes), 4-6, or 1:30 (hours:minutes)")
    song.add_argument("--key", help='such as "F minor"')
    song.add_argument("--tempo", type=float, help="quarter notes a minute, 20 to 300")
    song.add_argument("--meter", help="such as 4/4 or 7/8")
    song.add_argument("--tuning", type=float, default=440.0, metavar="HZ",
                      help="of A4 (432, 440 ...), or 174 285 396 417 528 639 741 852 963, a "
                      "frequency that then sounds in the chords")
    song.add_argument("--binaural", type=float, default=0.0, metavar="HZ",
                      help="two low tones, one for each ear, so far apart")
    song.add_argument("--loop", action="store_true", help="the end joins the beginning")
    song.add_argument("--seed", type=int, help="the same seed makes the same song")
    song.add_argument("--model", default="", help="a name in models/ or a file")
    song.add_argument("--temperature", type=float, help="0 (plain) to 2 (wild)")
    song.add_argument("--form", help='such as "intro verse chorus outro"')
    song.add_argument("--chords", help='one a bar, such as "Fm Db Ab Eb"')
    song.add_argument("--motif", help='notes that the tune begins with: "C4 E4 G4"')
    song.add_argument("--songs", type=int, default=1, metavar="N")
    song.add_argument("--out", type=Path, help="folder for the files")
    styled = _Parser(add_help=False)
    styled.add_argument("styles", help='such as "Chill, Dubstep"')
    made = _Parser(add_help=False)
    made.add_argument("--also", default="", metavar="KINDS",
                      help="keep these too: wav, mid, abc, musicxml, stems")
    made.add_argument("--watch-input", action="store_true", help=argparse.SUPPRESS)
    commands.add_parser("generate", parents=[styled, song, made, common], help="make songs")
    commands.add_parser("compose", parents=[styled, song, common],
                        help="write only the lead sheet (ABC)")
    given = commands.add_parser("render", parents=[song, made, common],
                                help="a song from notes somebody else wrote")
    given.add_argument("file", type=Path, help="ABC, MIDI or MusicXML")
    given.add_argument("--style", dest="styles", default="pop", metavar="S",
                       help='what is arranged around the notes; "plain" adds nothing')
    play = commands.add_parser("play", parents=[common], help="play songs in a loop")
    play.add_argument("files", nargs="*", type=Path)
    play.add_argument("--shuffle", action="store_true")
    play.add_argument("--once", action="store_true", help="stop after the last song")
    play.add_argument("--output", choices=("auto", "miniaudio", "simpleaudio", "null"))
    library = commands.add_parser("library", parents=[common], help="list the songs")
    library.add_argument("action", choices=("list",))
    models = commands.add_parser("models", parents=[common],
                                 help="list, check, find or add models")
    models.add_argument("action", choices=("list", "check", "find", "add"))
    models.add_argument("name", nargs="?", metavar="FILE|NAME",
                        help="check: a file; add: a name that 'find' lists, or "
                        "OWNER/REPOSITORY/FILE.gguf")
    commands.add_parser("styles", parents=[common], help="list the styles")
    commands.add_parser("doctor", parents=[common], help="look for what could go wrong")
    bench = commands.add_parser("bench", parents=[common], help="measure speeds as ratios")
    bench.add_argument("--model", default="")
    bench.add_argument("--long", action="store_true", help="pieces of up to eight hours too")
    commands.add_parser("menu", parents=[common], help="the menu (as without a command)")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.platform == "win32":  # Ctrl+Break ends it as Ctrl+C does
        signal.signal(signal.SIGBREAK, signal.default_int_handler)
    debug = "--debug" in words
    words = [w for w in words if w != "--debug"]
    try:
        args = build_parser().parse_args(words)
        settings, notes = load_settings(paths.SETTINGS)
        for note in notes:
            _tell(note)
        return _run(args, settings, notes)
    except MusicGenError as error:
        if debug:
            raise
        _tell(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        _tell("cancelled")
        return Cancelled.exit_status
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:
        if debug:
            raise
        _tell(f"a fault in the program ({type(error).__name__}: {str(error)[:200]}); run again "
              "with --debug and report it")
        return 1


def _tell(line: str) -> None:
    text = "".join(c if c.isprintable() else " " for c in line)
    print(f"llm-music-gen: {text}", file=sys.stderr)


def _run(args: argparse.Namespace, settings: Settings, notes: list[str]) -> int:
    command = args.command or "menu"
    if command in ("generate", "render"):
        return _generate(args, settings)
    if command == "compose":
        return _compose(args, settings)
    if command == "menu":
        from scripts.tui.menu import run_menu
        return run_menu(settings, notes)
    if command == "play":
        return _play(args, settings)
    if command == "bench":
        from scripts.bench import run_bench
        return run_bench(args.model, settings, args.json, args.long)
    if command == "models" and args.action in ("find", "add"):
        return _fetch_models(args)
    from scripts import reports
    looks = {"library": reports.library, "models": reports.models, "styles": reports.styles,
             "doctor": reports.doctor}
    return looks[command](args, settings)


def _wishes(args: argparse.Namespace, settings: Settings) -> Wishes:
    length = args.length or ("" if args.command == "render" else settings.song_length)
    return Wishes(styles=args.styles, length=length, key=args.key,
                  tempo=args.tempo, meter=args.meter, tuning=args.tuning, form=args.form,
                  chords=args.chords, binaural=args.binaural, loop=args.loop, motif=args.motif)


def _order(args: argparse.Namespace, settings: Settings) -> Any:
    from scripts.pipeline import Order
    temperature = settings.temperature if args.temperature is None else args.temperature
    if not 0 <= temperature <= 2:
        raise UsageError(f"temperature {temperature:g} is out of range; 0 to 2 can be used")
    if not 1 <= args.songs <= MOST_SONGS:
        raise UsageError(f"--songs {args.songs} is out of range; 1 to {MOST_SONGS:,} can be made")
    seed = random.SystemRandom().randrange(1 << 31) if args.seed is None else args.seed
    if not 0 <= seed < 1 << 40:
        raise UsageError(f"--seed {seed} is out of range; 0 to {(1 << 40) - 1} can be used")
    also = tuple(w.strip().lower() for w in getattr(args, "also", "").split(",") if w.strip())
    wrong = [w for w in also if w not in ALSO]
    if wrong:
        raise UsageError(f'--also "{wrong[0][:20]}" cannot be made; {", ".join(ALSO)} can')
    return Order(_wishes(args, settings), args.songs, seed, args.model or settings.model,
                 temperature, args.out or paths.OUTPUT, settings.bitrate, also,
                 getattr(args, "file", None))


def _generate(args: argparse.Namespace, settings: Settings) -> int:
    # The model's process loads its library while this one loads its own.
    worker = None if getattr(args, "file", None) else Child(WORKER)
    from scripts.pipeline import make_songs
    if args.watch_input:
        # On Windows a library that looks at the input while a thread reads it waits for ever, as
        # SciPy's Fortran does when it is loaded; so it is loaded before.
        import scripts.production  # noqa: F401
    order = _order(args, settings)
    stop = _cancel_flag(args.watch_input)
    shown = _Progress(args, order)
    failures: int = make_songs(order, settings, shown, stop, worker)
    return 1 if failures else 0


class _Progress:
    """Tells how the songs come along, as bars for people or JSON for programs."""

    def __init__(self, args: argparse.Namespace, order: Any) -> None:
        self.args, self.order = args, order
        self._last = (-1, "", -1)
        self._when = 0.0

    def report(self, number: int, stage: str, done: float, text: str) -> None:
        percent = int(done * 100)
        now = time.monotonic()
        fresh = (number, stage) != self._last[:2]
        if (number, stage, percent) == self._last or (not fresh and now - self._when < 0.1):
            return
        self._last, self._when = (number, stage, percent), now
        if self.args.json:
            emit(event="progress", song=number + 1, songs=self.order.songs, stage=stage,
                  done=round(done, 3), text=text)
            return
        if fresh:
            label = {"compose": f'Producing "{self.order.wishes.styles}" themed song number '
                                f"{number + 1}...",
                     "render": f"Rendering song number {number + 1}...",
                     "convert": f"Converting song number {number + 1} from Wav to Mp3..."}[stage]
            print(("\n" if sys.stderr.isatty() else "") + f"Llm-Music-Gen: {label}",
                  file=sys.stderr)
        if sys.stderr.isatty():
            print(f"\r{percent_bar(done)}", end="", file=sys.stderr, flush=True)

    def noted(self, note: str) -> None:
        _say(self.args, "note", f"Llm-Music-Gen: {note}", text=note)

    def finished(self, number: int, song: Any) -> None:
        if sys.stderr.isatty() and not self.args.json:
            print(file=sys.stderr)
        if self.args.json:
            emit(event="song", song=number + 1, path=str(song.path), title=song.title,
                  seconds=song.seconds, key=song.details.get("key"),
                  tempo=song.details.get("tempo"), seed=song.details.get("seed"))
        else:
            print(song.path)

    def failed(self, number: int, reason: str) -> None:
        if self.args.json:
            emit(event="failed", song=number + 1, reason=reason)
        _tell(f"song number {number + 1} failed: {reason}")


def _compose(args: argparse.Namespace, settings: Settings) -> int:
    from scripts.files import legal_name, write_text
    from scripts.pipeline import Studio
    from scripts.score.abc_writer import write_abc
    order = _order(args, settings)
    with Studio(order, settings, _cancel_flag(False)) as studio:
        for note in studio.brief(0).notes:
            _say(args, "note", f"Llm-Music-Gen: {note}", text=note)
        for number in range(order.songs):
            brief = studio.brief(number)
            composition = studio.compose(brief, lambda stage, done, text: None)
            text = write_abc(composition.sheet, number + 1)
            title = composition.sheet.title
            if args.out:
                path = args.out / f"{legal_name(title)} {brief.seed}.abc"
                write_text(path, text)
                _say(args, "file", f"Llm-Music-Gen: {path}", path=str(path))
            elif args.json:
                emit(event="sheet", abc=text, title=title, key=str(brief.key),
                      tempo=brief.tempo, seed=brief.seed, model=composition.model)
            else:
                print(text, end="" if number == order.songs - 1 else "\n")
    return 0


def _fetch_models(args: argparse.Namespace) -> int:
    from scripts.model_finder import add_model, find_models
    if args.action == "find":
        return find_models(args.json)
    if not args.name:
        raise UsageError("models add needs a name; 'models find' lists some")
    return add_model(args.name, args.json)


def _play(args: argparse.Namespace, settings: Settings) -> int:
    from scripts.jukebox.console import play_on_console
    return play_on_console(args.files, args.shuffle, args.once, args.output or settings.output,
                           settings, args.json)


def _say(args: argparse.Namespace, event: str, line: str, **more: Any) -> None:
    if args.json:
        emit(event=event, **more)
    else:
        print(line, file=sys.stderr)


def _cancel_flag(watch_input: bool) -> Any:
    """A function that turns True on Ctrl+C, a polite kill, or (asked for) the input's end."""
    import threading
    stopped = threading.Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt  # a second Ctrl+C does not wait
        stopped.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, stop)
    if watch_input:
        def watch() -> None:
            sys.stdin.read()
            stopped.set()
        threading.Thread(target=watch, daemon=True).start()
    return stopped.is_set


if __name__ == "__main__":
    sys.exit(main())
