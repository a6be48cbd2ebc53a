"""The installer: when it has work to do, how it fails, and what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import requisites
from scripts.core.cpu import NO_AVX
from scripts.core.errors import SetupError
from scripts.installer import environment, llama, packages
from scripts.installer.diagnosis import NO_REDIST, explain_failure
from scripts.installer.startup_check import check_startup, explain_startup_failure
from tests.conftest import ROOT


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What looks like a finished environment of this Python."""
    monkeypatch.setattr(environment, "VENV", tmp_path)
    python = environment.interpreter_path(tmp_path)
    python.parent.mkdir(parents=True)
    if os.name == "nt":
        shutil.copy(sys.executable, python)
    else:
        python.symlink_to(sys.executable)
    write_configuration(tmp_path)
    return tmp_path


def write_configuration(venv: Path, version: str = sys.version.split()[0]) -> None:
    (venv / "pyvenv.cfg").write_text(
        f"home = {Path(sys.executable).resolve().parent}\nversion = {version}\n"
    )


def stamp(venv: Path, **changes: str) -> None:
    (venv / "llm-music-gen.json").write_text(
        json.dumps({**environment.expected_stamp(tests=True), **changes})
    )


def test_an_environment_without_stamp_is_not_ready(venv: Path) -> None:
    assert not environment.is_ready()


def test_a_stamped_environment_is_ready(venv: Path) -> None:
    stamp(venv)
    assert environment.is_ready()
    assert environment.is_ready(tests=True)


@pytest.mark.parametrize("field", ["packages", "llama"])
def test_changed_requirements_are_installed_anew(venv: Path, field: str) -> None:
    stamp(venv, **{field: "something else"})
    assert not environment.is_ready()


def test_tests_need_more_than_the_program(venv: Path) -> None:
    stamp(venv, tests="")
    assert environment.is_ready()
    assert not environment.is_ready(tests=True)


def test_a_damaged_stamp_or_a_vanished_python_means_not_ready(venv: Path) -> None:
    for text in ("{", "[]", ""):
        (venv / "llm-music-gen.json").write_text(text)
        assert not environment.is_ready()
    stamp(venv)
    environment.interpreter_path(venv).unlink()
    assert not environment.is_ready()


@pytest.mark.skipif(os.name == "nt", reason="links to Python are made elsewhere only")
def test_a_python_that_has_become_another_version_means_not_ready(venv: Path) -> None:
    stamp(venv)
    write_configuration(venv, version="3.2.1")
    assert not environment.is_ready()


def test_a_build_is_made_even_when_the_ready_made_one_is_there(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[bool] = []
    monkeypatch.setattr(llama, "_is_installed", lambda: True)
    monkeypatch.setattr(llama, "_build_from_source", lambda: built.append(True))
    llama.install_llama(None)
    assert not built
    llama.install_llama(None, build=True)
    assert built


def test_without_compiler_and_wheel_it_says_what_to_install(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "")
    monkeypatch.setattr(llama, "run", lambda *a, **k: failed)
    monkeypatch.setattr(llama.shutil, "which", lambda name: None)
    monkeypatch.setattr(llama.os, "name", "posix")
    with pytest.raises(SetupError, match="compiler"):
        llama.install_llama(None)


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("0.3.36", True),
        ("0.3.16", True),
        ("0.3.9", False),
        ("0.4.0", False),
        ("", False),
        ("0.3.20+cpu", False),
    ],
)
def test_only_versions_that_were_tried_are_taken(version: str, good: bool) -> None:
    assert llama.is_supported_version(version) is good


def installer(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "requisites.py", *words],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        env={**os.environ, **variables},
    )


def test_words_that_are_off_get_one_line() -> None:
    done = installer("--everything")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--everything" in done.stderr


def test_a_folder_of_wheels_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = installer("--wheels", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "no such folder" in done.stderr
    done = installer(LLM_MUSIC_GEN_WHEELS=str(tmp_path / "none"))
    assert done.returncode == 1
    assert "no such folder" in done.stderr


# -- what pip says, as it was seen, and what that means -------------------------------------------

NO_VERSION = (
    "ERROR: Could not find a version that satisfies the requirement x (from versions: "
    "none)\nERROR: No matching distribution found for x\n"
)
BROKEN = "WARNING: Retrying (Retry(total=0)) after connection broken by "
SEEN = {
    "there is no network": BROKEN + "'NewConnectionError('<x>: Failed to establish a new "
    "connection: [Errno 11001] getaddrinfo failed')': /simple/x/\n" + NO_VERSION,
    "the proxy does not answer": BROKEN + "'ProxyError('Cannot connect to proxy.', "
    "NewConnectionError('<x>: Failed to establish a new connection: [WinError 10061] No "
    "connection could be made'))': /simple/x/\n" + NO_VERSION,
    "asks for a name and password": BROKEN + "'ProxyError('Cannot connect to proxy.', "
    "OSError('Tunnel connection failed: 407 Proxy Authentication Required'))'\n" + NO_VERSION,
    "certificate": BROKEN + "'SSLError(SSLCertVerificationError(1, '[SSL: "
    "CERTIFICATE_VERIFY_FAILED] unable to get local issuer'))'\n" + NO_VERSION,
    "too slow": BROKEN
    + "'ReadTimeoutError(\"HTTPSConnectionPool: Read timed out.\")'\n"
    + NO_VERSION,
    "disk is full": "ERROR: Could not install packages due to an OSError: [WinError 112] There is "
    "not enough space on the disk",
    "shorter folder": "ERROR: Could not install packages due to an OSError: [Errno 2] No such "
    "file\nHINT: This error might have occurred since this system does not have Windows Long Path "
    "support enabled.",
    "another program has it open": "ERROR: Could not install packages due to an OSError: [WinError "
    "5] Access is denied: 'C:\\\\x.pyd'",
    "program has it open, or": "Downloading x.whl (407 kB)\n" + BROKEN + "'ReadTimeoutError(\"Read "
    "timed out.\")'\nERROR: Could not install packages due to an OSError: [WinError 32] in "
    "use: 'x.pyd'",
    "x is not available for this Python": NO_VERSION,
    "something new; try again": "ERROR: something new",
}


@pytest.mark.parametrize("words", SEEN)
def test_pips_complaints_are_told_in_plain_words(words: str) -> None:
    assert words in explain_failure(SEEN[words])


@given(st.text(max_size=300))
def test_any_complaint_becomes_one_line(said: str) -> None:
    assert len(explain_failure(said).splitlines()) == 1


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PIP_INDEX_URL": "https://registry.invalid/simple"}, "there is no network"),
        (
            {
                "HTTPS_PROXY": "http://127.0.0.1:9",
                "PIP_INDEX_URL": "https://registry.invalid/simple",
            },
            "the proxy does not answer",
        ),
    ],
)
def test_the_real_pip_without_a_network(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(environment, "interpreter_path", lambda venv: Path(sys.executable))
    with pytest.raises(SetupError, match=words):
        packages.run_pip(
            ["install", "--retries", "1", "--timeout", "3", "no-such-package-here"],
            "the packages could not be installed",
        )


def test_the_real_pip_with_an_empty_folder_of_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "interpreter_path", lambda venv: Path(sys.executable))
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text("no-such-package-here==1\n")
    with pytest.raises(SetupError, match=r"no-such-package-here==1.*--save-wheels"):
        packages.install_packages(False, tmp_path)


# -- starting everything --------------------------------------------------------------------------


def test_everything_starts_here() -> None:
    check_startup(Path(sys.executable))


@pytest.mark.skipif(os.name == "nt", reason="signals stop programs elsewhere only")
def test_a_processor_without_avx_is_caught_in_a_child(tmp_path: Path) -> None:
    """A Python that dies as one does at an unknown instruction."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '> llama_cpp'\nkill -ILL $$\n")
    python.chmod(0o755)
    with pytest.raises(SetupError, match="AVX"):
        check_startup(python)


@pytest.mark.parametrize("status", [0xC000001D, -1073741795, -4])
def test_an_illegal_instruction_is_told_as_missing_avx(status: int) -> None:
    assert explain_startup_failure(status, "> llama_cpp\n") == NO_AVX


def test_an_illegal_instruction_caught_while_loading_is_told_as_missing_avx() -> None:
    said = "> llama_cpp\nOSError: [WinError -1073741795] Windows Error 0xc000001d\n"
    assert explain_startup_failure(1, said) == NO_AVX


def test_a_missing_redistributable_is_told_with_its_address() -> None:
    said = (
        "> numpy\n> llama_cpp\nRuntimeError: Failed to load shared library 'llama.dll': Could "
        "not find module 'llama.dll' (or one of its dependencies).\n"
    )
    assert explain_startup_failure(1, said, lambda: True) == NO_REDIST
    assert "vc_redist.x64.exe" in NO_REDIST
    other = explain_startup_failure(1, said, lambda: False)
    assert other.startswith("llama_cpp does not start")
    assert "delete the folder .venv" in other


def test_a_crash_names_the_package_and_the_status() -> None:
    assert "music21 does not start" in explain_startup_failure(0xC0000005, "> numpy\n> music21\n")
    assert "0xc0000005" in explain_startup_failure(0xC0000005, "> music21\n")


# -- the folder -----------------------------------------------------------------------------------


def test_the_deepest_path_of_the_environment_is_known() -> None:
    """The length that the long-path check reckons with holds for the packages of today."""
    venv = ROOT / ".venv"
    deepest = max(
        len(str(p.relative_to(venv)))
        for p in venv.rglob("*")
        if "sdist" not in p.parts and "ggml" not in p.name
    )
    assert deepest <= environment.MAX_VENV_PATH_LENGTH


def test_ready_is_what_ensure_trusts(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requisites, "_install", lambda *_: pytest.fail("it installs"))
    stamp(venv)
    assert requisites.ensure_environment() == environment.interpreter_path(venv)


def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(environment, "VENV", tmp_path / "file" / ".venv")
    with pytest.raises(SetupError, match="a folder of your own"):
        requisites.ensure_environment()


def test_a_second_window_waits_for_the_first_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from scripts.installer.install_lock import exclusive_lock\n"
        "with exclusive_lock(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(tmp_path / ".venv.lock")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, cwd=ROOT, text=True, **pipes) as first:
        assert first.stdout
        assert first.stdout.readline() == "in\n"
        with subprocess.Popen(words, cwd=ROOT, text=True, **pipes) as second:
            assert second.stderr
            assert "waiting" in second.stderr.readline()
            first.communicate("")
            assert second.communicate("", timeout=30)[0] == "in\n"
