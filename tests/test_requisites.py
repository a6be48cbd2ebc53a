"""The installer: when it has work to do, how it fails, and its messages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import requisites
from scripts.core.cpu import NO_AVX_MESSAGE
from scripts.core.errors import SetupError
from scripts.installer import environment, llama, packages
from scripts.installer.diagnosis import NO_REDIST, explain_failure
from scripts.installer.portable import _copy_program, make_portable
from scripts.installer.startup_check import check_startup, explain_startup_failure
from tests.conftest import ROOT


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that looks like a complete environment of this Python."""
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


def write_stamp(venv: Path, **changes: str) -> None:
    (venv / "llm-music-gen.json").write_text(
        json.dumps({**environment.expected_stamp(tests=True), **changes})
    )


def test_an_environment_without_stamp_is_not_ready(venv: Path) -> None:
    assert not environment.is_ready()


def test_a_stamped_environment_is_ready(venv: Path) -> None:
    write_stamp(venv)
    assert environment.is_ready()
    assert environment.is_ready(tests=True)


@pytest.mark.parametrize("field", ["packages", "llama"])
def test_changed_requirements_mean_not_ready(venv: Path, field: str) -> None:
    write_stamp(venv, **{field: "something else"})
    assert not environment.is_ready()


def test_the_tests_need_more_packages_than_the_program(venv: Path) -> None:
    write_stamp(venv, tests="")
    assert environment.is_ready()
    assert not environment.is_ready(tests=True)


def test_a_damaged_stamp_or_a_missing_python_means_not_ready(venv: Path) -> None:
    for text in ("{", "[]", ""):
        (venv / "llm-music-gen.json").write_text(text)
        assert not environment.is_ready()
    write_stamp(venv)
    environment.interpreter_path(venv).unlink()
    assert not environment.is_ready()


@pytest.mark.skipif(os.name == "nt", reason="the interpreter is not a link on Windows")
def test_a_changed_python_version_means_not_ready(venv: Path) -> None:
    write_stamp(venv)
    write_configuration(venv, version="3.2.1")
    assert not environment.is_ready()


def test_build_compiles_even_when_a_wheel_is_installed(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[bool] = []
    monkeypatch.setattr(llama, "_is_installed", lambda: True)
    monkeypatch.setattr(llama, "_build_from_source", lambda: built.append(True))
    llama.install_llama(None)
    assert not built
    llama.install_llama(None, build=True)
    assert built


def test_without_compiler_and_wheel_the_message_says_what_to_install(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "")
    monkeypatch.setattr(llama, "run", lambda *a, **k: failed)
    monkeypatch.setattr(llama.shutil, "which", lambda name: None)
    monkeypatch.setattr(llama.os, "name", "posix")
    with pytest.raises(SetupError, match="compiler"):
        llama.install_llama(None)


@pytest.mark.parametrize(
    ("version", "is_supported"),
    [
        ("0.3.36", True),
        ("0.3.16", True),
        ("0.3.9", False),
        ("0.4.0", False),
        ("", False),
        ("0.3.20+cpu", False),
    ],
)
def test_only_tested_versions_are_supported(version: str, is_supported: bool) -> None:
    assert llama.is_supported_version(version) is is_supported


def run_installer(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "requisites.py", *arguments],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        env={**os.environ, **variables},
    )


def test_an_unknown_option_is_reported_on_one_line() -> None:
    done = run_installer("--everything")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--everything" in done.stderr


def test_a_missing_wheel_folder_is_reported(tmp_path: Path) -> None:
    done = run_installer("--wheels", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "no such folder" in done.stderr
    done = run_installer(LLM_MUSIC_GEN_WHEELS=str(tmp_path / "none"))
    assert done.returncode == 1
    assert "no such folder" in done.stderr


# -- real error messages of pip, and their explanations ------------------------------------------

NO_VERSION = (
    "ERROR: Could not find a version that satisfies the requirement x (from versions: "
    "none)\nERROR: No matching distribution found for x\n"
)
BROKEN = "WARNING: Retrying (Retry(total=0)) after connection broken by "
PIP_ERRORS = {
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


@pytest.mark.parametrize("message", PIP_ERRORS)
def test_errors_of_pip_are_explained(message: str) -> None:
    assert message in explain_failure(PIP_ERRORS[message])


@given(st.text(max_size=300))
def test_any_output_of_pip_becomes_one_line(output: str) -> None:
    assert len(explain_failure(output).splitlines()) == 1


@pytest.mark.parametrize(
    ("variables", "message"),
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
def test_pip_without_a_network_gives_the_reason(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(environment, "interpreter_path", lambda venv: Path(sys.executable))
    with pytest.raises(SetupError, match=message):
        packages.run_pip(
            ["install", "--retries", "1", "--timeout", "3", "no-such-package-here"],
            "the packages could not be installed",
        )


def test_pip_with_an_empty_wheel_folder_names_the_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "interpreter_path", lambda venv: Path(sys.executable))
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    hashed = f"no-such-package-here==1 --hash=sha256:{'0' * 64}\n"
    (tmp_path / "requirements.lock").write_text(hashed)
    with pytest.raises(SetupError, match=r"no-such-package-here==1.*--save-wheels"):
        packages.install_packages(False, tmp_path)


# -- startup check --------------------------------------------------------------------------------


def test_every_package_starts_here() -> None:
    check_startup(Path(sys.executable))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_processor_without_avx_is_detected_in_a_child_process(tmp_path: Path) -> None:
    """The interpreter is a script that is killed by SIGILL."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '> llama_cpp'\nkill -ILL $$\n")
    python.chmod(0o755)
    with pytest.raises(SetupError, match="AVX"):
        check_startup(python)


@pytest.mark.parametrize("status", [0xC000001D, -1073741795, -4])
def test_an_illegal_instruction_is_reported_as_missing_avx(status: int) -> None:
    assert explain_startup_failure(status, "> llama_cpp\n") == NO_AVX_MESSAGE


def test_an_illegal_instruction_while_loading_is_reported_as_missing_avx() -> None:
    output = "> llama_cpp\nOSError: [WinError -1073741795] Windows Error 0xc000001d\n"
    assert explain_startup_failure(1, output) == NO_AVX_MESSAGE


def test_a_missing_redistributable_is_reported_with_its_address() -> None:
    output = (
        "> numpy\n> llama_cpp\nRuntimeError: Failed to load shared library 'llama.dll': Could "
        "not find module 'llama.dll' (or one of its dependencies).\n"
    )
    assert explain_startup_failure(1, output, lambda: True) == NO_REDIST
    assert "vc_redist.x64.exe" in NO_REDIST
    other = explain_startup_failure(1, output, lambda: False)
    assert other.startswith("llama_cpp does not start")
    assert "delete the folder .venv" in other


def test_a_crash_names_the_package_and_the_status() -> None:
    assert "music21 does not start" in explain_startup_failure(0xC0000005, "> numpy\n> music21\n")
    assert "0xc0000005" in explain_startup_failure(0xC0000005, "> music21\n")


# -- the folder -----------------------------------------------------------------------------------


def test_the_longest_path_of_the_environment_is_within_the_limit() -> None:
    """The length that the long-path check assumes still covers the current packages."""
    venv = ROOT / ".venv"
    deepest = max(
        len(str(p.relative_to(venv)))
        for p in venv.rglob("*")
        if "sdist" not in p.parts and "ggml" not in p.name
    )
    assert deepest <= environment.MAX_VENV_PATH_LENGTH


def test_a_ready_environment_is_not_installed_again(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requisites, "_install", lambda *_: pytest.fail("it must not install"))
    write_stamp(venv)
    assert requisites.ensure_environment() == environment.interpreter_path(venv)


def test_a_folder_that_cannot_be_written_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(environment, "VENV", tmp_path / "file" / ".venv")
    with pytest.raises(SetupError, match="a folder of your own"):
        requisites.ensure_environment()


def test_a_second_installer_waits_for_the_first(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from scripts.installer.install_lock import exclusive_lock\n"
        "with exclusive_lock(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / ".venv.lock")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as first:
        assert first.stdout
        assert first.stdout.readline() == "in\n"
        with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as second:
            assert second.stderr
            assert "waiting" in second.stderr.readline()
            first.communicate("")
            assert second.communicate("", timeout=30)[0] == "in\n"


def pins(name: str) -> dict[str, str]:
    """Versions by normalized package name in a requirements file."""
    found = re.findall(r"(?m)^([\w-]+)==([\w.]+)", (ROOT / name).read_text(encoding="utf-8"))
    return {package.lower().replace("_", "-"): version for package, version in found}


def test_the_locks_have_the_versions_that_are_required() -> None:
    lock, tests_lock = pins("requirements.lock"), pins("requirements-tests.lock")
    assert pins("requirements.txt").items() <= lock.items()
    assert {**pins("requirements-tests.txt"), **lock}.items() <= tests_lock.items()
    assert pins("requirements-llama.lock") == {"llama-cpp-python": environment.LLAMA_VERSION}


@pytest.mark.parametrize("name", ["requirements", "requirements-tests", "requirements-llama"])
def test_every_locked_package_has_hashes(name: str) -> None:
    text = (ROOT / f"{name}.lock").read_text(encoding="utf-8")
    for entry in re.split(r"(?m)^(?=[a-z])", text)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:60]


def test_the_commit_hooks_install_the_versions_that_the_tests_use() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    pinned = {
        line.split(";")[0].strip()
        for name in ("requirements.txt", "requirements-tests.txt")
        for line in (ROOT / name).read_text().splitlines()
    }
    assert set(re.findall(r"\w[\w-]*==[\w.]+", hooks)) <= pinned


def test_a_python_of_the_system_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    with pytest.raises(SetupError, match="belongs to the system"):
        make_portable(tmp_path / "new", None)
    assert not (tmp_path / "new").exists()


def test_a_portable_program_needs_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "python"))
    (tmp_path / "song.mp3").write_bytes(b"mine")
    with pytest.raises(SetupError, match="not empty"):
        make_portable(tmp_path, None)
    assert (tmp_path / "song.mp3").read_bytes() == b"mine"


def test_a_python_beside_the_program_is_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    assert environment._find_environment() == tmp_path / ".venv"
    interpreter = environment.python_in(tmp_path / "python")
    interpreter.parent.mkdir(parents=True)
    interpreter.write_bytes(b"")
    own = environment._find_environment()
    assert own == tmp_path / "python"
    assert environment.interpreter_path(own) == interpreter


def test_a_portable_folder_holds_the_program_without_the_users_files(tmp_path: Path) -> None:
    _copy_program(tmp_path / "new")
    found = {str(p.relative_to(tmp_path / "new")) for p in (tmp_path / "new").rglob("*")}
    needed = {"launcher.py", "models/starter.gguf", "models/reader.gguf", "data/models.toml"}
    assert {str(Path(name)) for name in needed} <= found
    private = ("persistent.json", "jobs.db", ".mp3", ".log", "__pycache__")
    assert not [name for name in found if name.endswith(private)]
