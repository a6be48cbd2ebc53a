"""Habits of the command line: help, versions, quiet and plain output, files, completion."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import __version__
from scripts.cli.completion import completion_words, powershell_script
from scripts.cli.main import _escape_query_terms, _insert_command
from scripts.cli.parser import build_parser
from scripts.core.errors import UsageError
from tests.conftest import ROOT
from tests.support.tmux import Terminal

SNAPSHOTS = Path(__file__).parent / "snapshots"
Run = Callable[..., subprocess.CompletedProcess[str]]


def commands() -> list[str]:
    """Every command and sub-command; "" for the program itself."""
    return sorted(completion_words())


def help_text(command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Help of a command on a console of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    parser: argparse.ArgumentParser = build_parser()
    for name in command.split():
        (action,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
        parser = action.choices[name]
    return parser.format_help()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse formats options otherwise")
@pytest.mark.parametrize("command", commands())
def test_the_help_of_a_command_is_as_its_snapshot(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SNAPSHOTS / f"help {command}".strip().replace(" ", "-")
    text = help_text(command, monkeypatch)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.with_suffix(".txt").write_text(text, encoding="utf-8")
    assert text == file.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", commands())
def test_every_command_has_a_summary_and_help_for_each_option(command: str) -> None:
    parser: argparse.ArgumentParser = build_parser()
    for name in command.split():
        (action,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
        assert any(choice.dest == name and choice.help for choice in action._choices_actions)
        parser = action.choices[name]
    options = [a for a in parser._actions if a.option_strings]
    assert all(option.help for option in options)


def test_the_version_is_printed(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"llm-music-gen {__version__}\n")


def test_help_of_a_command_is_its_own_help(run: Run) -> None:
    assert run("help", "library", "rate").stdout == run("library", "rate", "--help").stdout
    assert run("help").stdout == run("--help").stdout
    assert run("help", "nonsense").returncode == 2


@pytest.mark.slow
def test_quiet_prints_results_and_errors_only(run: Run, home: Path) -> None:
    done = run("-q", "generate", "folk", "--length", "0.17", "--seed", "3")
    assert done.stderr == ""
    assert Path(done.stdout.strip()).is_file()
    failed = run("generate", "folk", "--key", "none", "--quiet")
    assert failed.stderr.startswith("llm-music-gen: invalid key")
    assert len(failed.stderr.splitlines()) == 1


def test_verbose_prints_the_log(run: Run) -> None:
    done = run("jobs", "list", "-v")
    assert "scripts.cli.main: llm-music-gen" in done.stderr


def test_errors_are_objects_with_json(run: Run) -> None:
    for words in (["generate", "jazz", "--key", "none"], ["jobs", "pause"], ["nonsense"]):
        done = run(*words, "--json")
        (error,) = map(json.loads, done.stdout.splitlines())
        assert done.returncode == error["status"] == 2
        assert error["event"] == "error"
        assert f"llm-music-gen: {error['message']}" in done.stderr.splitlines()


def test_options_may_stand_before_and_behind_a_command(run: Run) -> None:
    before, behind = run("--json", "styles"), run("styles", "--json")
    assert before.stdout == behind.stdout
    assert json.loads(before.stdout.splitlines()[0])["name"]


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("x.mp3", ["play"]),
        ("x.FLAC", ["play"]),
        ("x.m3u8", ["play"]),
        ("x.abc", ["render"]),
        ("x.mid", ["render"]),
        ("x.musicxml", ["render"]),
        ("x.json", ["render"]),
        ("x.csv", ["generate", "--job-file"]),
    ],
)
def test_a_dropped_file_becomes_a_command(tmp_path: Path, file: str, command: list[str]) -> None:
    path = tmp_path / file
    path.write_bytes(b"")
    assert _insert_command([str(path), "--json"]) == [*command, str(path), "--json"]


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    with pytest.raises(UsageError, match=r"no such command or file: none\.mp3"):
        _insert_command(["none.mp3"])
    assert _insert_command(["styles"]) == ["styles"]


@pytest.mark.slow
def test_a_recipe_that_is_dropped_is_rendered_again(run: Run, home: Path) -> None:
    made = run("generate", "folk", "--length", "0.17", "--seed", "3")
    recipe = Path(made.stdout.strip()).with_suffix(".json")
    done = run(str(recipe))
    assert done.returncode == 0
    assert len(list((home / "output").glob("*.mp3"))) == 2


@pytest.mark.parametrize(
    ("words", "marked"),
    [
        ("library search jazz -sad", "library search -- jazz -sad"),
        ("library search --json -sad jazz", "library search --json -- -sad jazz"),
        ("--json library search -sad", "library search --json -- -sad"),
        ("library playlist save best -sad", "library playlist save -- best -sad"),
        ("library search -q jazz", "library search -q jazz"),
        ("library rate One 5", "library rate One 5"),
        ("jobs list", "jobs list"),
    ],
)
def test_excluding_terms_are_no_options(words: str, marked: str) -> None:
    assert _escape_query_terms(words.split()) == marked.split()


@pytest.fixture
def terminal(home: Path) -> Callable[..., Terminal]:
    """Open a terminal in which a command of the program runs."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")

    def start(command: str, **variables: str) -> Terminal:
        words = " ".join(f"{name}={value}" for name, value in variables.items())
        return Terminal(
            f"cd {ROOT} && LLM_MUSIC_GEN_HOME={home} {words} {sys.executable} -m "
            f"scripts.cli {command}; echo status=$?; sleep 60"
        )

    return start


@pytest.mark.slow
def test_a_finished_song_leaves_no_bar_above_its_line(
    terminal: Callable[..., Terminal], home: Path
) -> None:
    window = terminal("generate folk --length 0.17 --seed 3")
    try:
        shown = window.wait("status=0")
    finally:
        window.close()
    assert "% Complete" not in shown
    assert str(home / "output") in shown.replace("\n", "")


@pytest.mark.slow
def test_a_dumb_terminal_gets_plain_lines(terminal: Callable[..., Terminal]) -> None:
    window = terminal("generate folk --length 0.17 --seed 3", TERM="dumb")
    try:
        shown = window.wait("status=0")
    finally:
        window.close()
    assert "Complete" not in shown
    menu = terminal("", TERM="dumb")
    try:
        shown = menu.wait("status=2")
    finally:
        menu.close()
    assert 'the menu cannot be drawn on the terminal "dumb"' in shown.replace("\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "variables", [{"TERM": "unknown-9000"}, {"LC_ALL": "C"}, {"NO_COLOR": "1"}]
)
def test_the_menu_opens_whatever_the_terminal_says(
    terminal: Callable[..., Terminal], variables: dict[str, str]
) -> None:
    window = terminal("", **variables)
    try:
        assert "1. Generate Music" in window.wait("Main Menu")
        window.type("x")
        window.wait("status=0")
    finally:
        window.close()


@pytest.mark.slow
def test_no_color_leaves_out_the_colors(terminal: Callable[..., Terminal]) -> None:
    colors = []
    for variables in ({}, {"NO_COLOR": "1"}):
        window = terminal("", **variables)
        try:
            window.wait("Main Menu")
            colors.append(bool(re.search(r"\x1b\[([\d;]*;)?[34][0-8]", window.screen(colors=True))))
        finally:
            window.close()
    assert colors == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_commands_and_options(run: Run, tmp_path: Path, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "completion"
    script.write_text(run("completion", shell).stdout)
    if shell == "zsh":
        done = subprocess.run(
            [shell, "-fc", f". {script} && print ok"], capture_output=True, text=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
        return
    for typed, expected in (
        (["gen"], ["generate"]),
        (["library", "ra"], ["rate"]),
        (["library", "playlist", "ex"], ["export"]),
        (["generate", "--mot"], ["--motif"]),
        (["completion", "z"], ["zsh"]),
        (["help", "gen"], ["generate"]),
        (["play", "--output", "n"], ["null"]),
        (["render", "''"], []),  # so that the shell offers file names
    ):
        words = " ".join(["llm-music-gen", *typed])
        code = (
            f". {script}; COMP_WORDS=({words}); COMP_CWORD={len(typed)}; _llm_music_gen; "
            'echo "${COMPREPLY[@]}"'
        )
        done = subprocess.run([shell, "-c", code], capture_output=True, text=True)
        assert (done.stdout.split(), done.stderr) == (expected, "")


def test_the_powershell_script_knows_every_command() -> None:
    script = powershell_script()
    assert "Register-ArgumentCompleter" in script
    assert all(f"'{command}' = @(" in script for command in commands())


@pytest.mark.slow
def test_the_log_is_not_printed_over_the_menu(terminal: Callable[..., Terminal]) -> None:
    window = terminal("-v")
    try:
        assert "INFO" not in window.wait("Main Menu")
    finally:
        window.close()


@pytest.mark.slow
def test_options_may_stand_before_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    done = run("--json", str(tmp_path / "notes.txt"))
    assert json.loads(done.stdout)["message"].startswith("unsupported file type: ")


@pytest.mark.slow
def test_debug_shows_a_traceback_and_keeps_the_exit_status(run: Run) -> None:
    done = run("--json", "--debug", "jobs", "pause", "99")
    assert "Traceback" in done.stderr
    assert done.returncode == 2
    assert json.loads(done.stdout)["status"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("jobs", "pause", "x"), 'argument ORDER: invalid value "x": expected a whole number'),
        (
            ("generate", "--seed", "x"),
            'argument --seed: invalid value "x": expected a whole number',
        ),
        (("generate", "Chill", "x"), "unrecognized arguments: x"),
    ],
)
def test_an_invalid_argument_is_explained(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    done = run(*arguments)
    command = " ".join(arguments[: 2 if arguments[0] == "jobs" else 1])
    assert done.stderr == f"llm-music-gen: {message}; see 'launcher.py {command} --help'\n"
    assert done.returncode == 2
