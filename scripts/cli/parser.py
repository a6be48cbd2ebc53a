"""Definition of the command line: commands, their options and their handlers.

Handlers are named as ``module:function`` and imported only when they run, so that ``--help`` and
usage errors are printed without delay.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts import __version__
from scripts.cli.options import Parser, common_options, order_id, rendering_options, request_options

PROGRAM = "launcher.py"
_DESCRIPTION = "Compose songs on this computer and play them."
_EPILOG = f"""\
Without a command, {PROGRAM} opens the menu. '{PROGRAM} FILE' plays an audio
file and renders ABC, MIDI, MusicXML and recipes. '{PROGRAM} test' installs what
the tests need and runs them. '{PROGRAM} help COMMAND' shows the options of a
command."""


class _Commands:
    """Group of subcommands of a parser."""

    def __init__(self, parser: argparse.ArgumentParser, dest: str, required: bool = True) -> None:
        self._actions = parser.add_subparsers(
            dest=dest, metavar="COMMAND", title="commands", parser_class=Parser, required=required
        )

    def add(
        self,
        name: str,
        handler: str,
        summary: str,
        parents: Sequence[Parser] = (),
        **options: Any,
    ) -> argparse.ArgumentParser:
        """Add a command.

        Parameters
        ----------
        name : str
        handler : str
            ``module:function`` in :mod:`scripts`; empty for a group of commands.
        summary : str
        parents : sequence of Parser
            Parsers whose options to include, in addition to the common ones.
        **options
            Passed on to the parser.
        """
        description = options.pop("description", summary[0].upper() + summary[1:] + ".")
        parser: argparse.ArgumentParser = self._actions.add_parser(
            name,
            help=summary,
            description=description,
            parents=[*parents, common_options()],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **options,
        )
        parser.set_defaults(handler=handler)
        return parser


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    parser = Parser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        parents=[common_options()],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"llm-music-gen {__version__}")
    parser.set_defaults(handler="tui.run:menu")
    commands = _Commands(parser, "command", required=False)
    _add_song_commands(commands)
    _add_order_commands(commands)
    _add_library_commands(commands)
    _add_model_commands(commands)
    _add_other_commands(commands)
    return parser


_TEXT = 'such as "Chill, Dubstep", or a sentence in your language'


def _add_song_commands(commands: _Commands) -> None:
    request, rendering = request_options(), rendering_options()
    generate = commands.add(
        "generate", "cli.generate:generate", "compose and render songs", [request, rendering]
    )
    _add_texts(generate)
    generate.add_argument("--resume", action="store_true", help="continue all unfinished orders")
    generate.add_argument(
        "--dry-run", action="store_true", help="only print how the text is understood"
    )
    generate.add_argument(
        "--cluster", metavar="ADDRESS", help="render on a Dask cluster, such as tcp://HOST:8786"
    )
    # For the menu: process all open orders, including those added meanwhile.
    generate.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    generate.add_argument("--wait", action="store_true", help=argparse.SUPPRESS)
    plan = commands.add(
        "plan",
        "cli.plan:plan",
        "show how a text is understood; makes nothing",
        [request, rendering],
    )
    _add_texts(plan)
    compose = commands.add(
        "compose", "cli.compose:compose", "write only the lead sheet, as ABC", [request]
    )
    compose.add_argument("styles", metavar="TEXT", help=_TEXT)
    mood = commands.add(
        "mood",
        "cli.mood:mood",
        "make a song, light and a narration for a feeling",
        [request, rendering],
    )
    mood.add_argument(
        "styles", metavar="TEXT", help='such as "what a day, I need to unwind", in your language'
    )
    lyrics = commands.add(
        "lyrics", "cli.lyrics:lyrics", "show genre, mood, syllables and chords of lyrics"
    )
    lyrics.add_argument("file", metavar="FILE", help='text file; "-" reads standard input')
    lyrics.add_argument("--seed", type=int, metavar="N", help="other chords for each number")
    render = commands.add(
        "render", "cli.generate:generate", "render notes from a file", [request, rendering]
    )
    render.add_argument(
        "file", type=Path, help="ABC, MIDI or MusicXML, or the .json of a song to render again"
    )
    render.add_argument(
        "--style",
        dest="styles",
        default="pop",
        metavar="S",
        help='arrangement around the notes (pop); "plain" adds nothing',
    )


def _add_texts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("styles", nargs="?", metavar="TEXT", help=f'{_TEXT}; "A | B": two orders')
    parser.add_argument(
        "--styles",
        dest="more_styles",
        action="append",
        metavar="TEXT",
        help="another order; repeatable",
    )
    parser.add_argument(
        "--job-file", type=Path, metavar="FILE", help="read orders from a CSV or JSON file"
    )


def _add_order_commands(commands: _Commands) -> None:
    group = _Commands(commands.add("jobs", "", "list and change orders"), "action")
    group.add("list", "cli.orders:list_orders", "list all orders")
    for name, summary in (
        ("pause", "pause an order"),
        ("continue", "continue a paused or cancelled order"),
        ("cancel", "cancel an order"),
        ("first", "move an order before all others"),
        ("last", "move an order after all others"),
        ("retry", "retry the failed songs of an order"),
    ):
        parser = group.add(name, "cli.orders:change_order", summary)
        parser.add_argument("id", type=order_id, metavar="ORDER", help="number from 'jobs list'")


_QUERY = """\
A query consists of words and fields such as style:chill, "rating>=4",
"tempo<100" or key:minor; a minus sign excludes (-style:sad). docs/library.md
describes all fields."""


def _add_library_commands(commands: _Commands) -> None:
    play = commands.add("play", "cli.play:play", "play songs in a loop")
    play.add_argument("files", nargs="*", type=Path, help="audio files or M3U8 playlists")
    play.add_argument(
        "--playlist",
        metavar="NAME",
        help="name of a playlist, or a query such as 'style:chill rating>=4'",
    )
    play.add_argument("--shuffle", action="store_true", help="play in random order")
    play.add_argument("--once", action="store_true", help="stop after the last song")
    play.add_argument(
        "--output",
        choices=("auto", "miniaudio", "simpleaudio", "null"),
        help="audio output; default: the setting output",
    )
    _add_lights(play)
    group = _Commands(commands.add("library", "", "list, search, rate and remove songs"), "action")
    parser = group.add("list", "cli.library:search", "list songs")
    parser.add_argument("query", nargs="*", metavar="WORD", help="list only songs that match")
    parser = group.add("search", "cli.library:search", "search for songs", epilog=_QUERY)
    parser.add_argument("query", nargs="+", metavar="WORD", help="words and fields")
    parser = group.add("rate", "cli.library:rate", "rate a song")
    parser.add_argument("song", help="ID, file name or title")
    parser.add_argument("rating", help="0 (none) to 5")
    parser = group.add("thumb", "cli.library:thumb", "give a song a thumb up or down")
    parser.add_argument("song", help="ID, file name or title")
    parser.add_argument("thumb", metavar="up|down|none")
    group.add("rescan", "cli.library:rescan", "read all songs in output/ again")
    parser = group.add("remove", "cli.library:remove", "move songs to the bin")
    parser.add_argument("songs", nargs="+", metavar="SONG", help="ID, file name or title")
    parser = group.add("undo", "cli.library:undo", "restore a song from the bin")
    parser.add_argument("number", nargs="?", help="number from 'library bin'; default: the latest")
    parser = group.add("bin", "cli.library:show_bin", "list or empty the bin")
    parser.add_argument("empty", nargs="?", choices=("empty",), help="delete its songs permanently")
    group.add("usage", "cli.library:usage", "show the disk space used by each kind of file")
    group.add("duplicates", "cli.library:show_duplicates", "find identical and similar songs")
    _add_playlist_commands(group)


def _add_lights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lights",
        action="append",
        metavar="ADDRESS",
        help="lamps that follow the music: sacn://UNIVERSE, artnet://HOST or wled://HOST; "
        "repeatable; default: the setting lamps",
    )


def _add_playlist_commands(library: _Commands) -> None:
    parser = library.add(
        "playlist", "cli.playlists:list_playlists", "list, save, export and import playlists"
    )
    group = _Commands(parser, "playlist_action", required=False)
    group.add("list", "cli.playlists:list_playlists", "list the playlists")
    parser = group.add(
        "save", "cli.playlists:save", "save a query as a smart playlist", epilog=_QUERY
    )
    parser.add_argument("name")
    parser.add_argument("query", nargs="+", metavar="WORD")
    parser = group.add("show", "cli.playlists:show", "list the songs of a playlist")
    parser.add_argument("query", nargs="+", metavar="NAME|QUERY")
    parser = group.add("delete", "cli.playlists:delete", "delete a playlist; its songs stay")
    parser.add_argument("name", nargs="+")
    parser = group.add("export", "cli.playlists:export", "write a playlist as M3U8")
    parser.add_argument("query", nargs="+", metavar="NAME|QUERY")
    parser.add_argument("file", type=Path, metavar="FILE.m3u8")
    parser = group.add("import", "cli.playlists:import_file", "import an M3U8 file as a playlist")
    parser.add_argument("file", type=Path, metavar="FILE.m3u8")
    parser.add_argument("name", nargs="*", help="default: the name of the file")


def _add_model_commands(commands: _Commands) -> None:
    group = _Commands(commands.add("models", "", "list, check, find and add models"), "action")
    group.add("list", "cli.models:list_models", "list the GGUF files in models/")
    parser = group.add("check", "cli.models:check", "check whether a GGUF file can compose")
    parser.add_argument("file", type=Path)
    group.add("find", "cli.model_downloads:find", "list models on the Hugging Face hub")
    parser = group.add("add", "cli.model_downloads:add", "download a model")
    parser.add_argument("name", help="from 'models find', or OWNER/REPOSITORY/FILE.gguf")


def _add_other_commands(commands: _Commands) -> None:
    commands.add("styles", "cli.styles:list_styles", "list the styles and their words")
    doctor = commands.add("doctor", "cli.doctor:doctor", "check everything needed to make songs")
    doctor.add_argument(
        "--report", action="store_true", help="write a ZIP file to send with a bug report"
    )
    bench = commands.add("bench", "cli.bench:bench", "measure speeds as ratios")
    bench.add_argument("--model", default="", help="a name in models/ or a file")
    bench.add_argument(
        "--long",
        action="store_true",
        help="also render eight hours, fill a library with 20,000 songs and run a batch",
    )
    completion = commands.add(
        "completion",
        "cli.completion:print_script",
        "print a script for tab completion",
        epilog=_COMPLETION,
    )
    completion.add_argument("shell", choices=("bash", "zsh", "powershell"))
    menu = commands.add("menu", "tui.run:menu", "open the menu, as without a command")
    _add_lights(menu)
    help_command = commands.add("help", "cli.help:show_help", "show the options of a command")
    help_command.add_argument("topic", nargs="*", metavar="COMMAND")


_COMPLETION = f"""\
The script also defines the command llm-music-gen. Add one of these to the
startup file of your shell:
  eval "$(python /path/to/{PROGRAM} completion bash)"
  eval "$(python /path/to/{PROGRAM} completion zsh)"
  python C:\\path\\to\\{PROGRAM} completion powershell | Out-String | Invoke-Expression"""
