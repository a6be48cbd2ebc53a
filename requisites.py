"""The installer: makes the environment ``.venv`` and puts the pinned packages into it.

``python requisites.py``          what the program needs
``python requisites.py --tests``  what its tests need too

It can be interrupted and run again at any time: what is done is not done twice, and the
environment counts as ready only when the last step has succeeded. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "llm-music-gen.json"
VOCABS = VENV / "vocabs"
LLAMA = "0.3.36"
WHEELS = "https://abetlen.github.io/llama-cpp-python/whl/cpu"
WHEEL_TIMEOUT = 60  # seconds for all of the prebuilt wheel
# Only the library itself: no tools, server, examples, tests, pictures or downloads.
CMAKE = ("-DLLAMA_CURL=OFF -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF "
         "-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_COMMON=OFF")
OLDEST = (3, 11)


class Trouble(Exception):
    """One line: what is wrong and what to do."""


def python_of(venv: Path) -> Path:
    """The environment's interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def wanted(tests: bool) -> dict[str, object]:
    """What a finished environment says of itself."""
    texts = (ROOT / "requirements.txt").read_bytes()
    extra = (ROOT / "requirements-tests.txt").read_bytes() if tests else b""
    return {"packages": hashlib.sha256(texts).hexdigest(), "llama": LLAMA,
            "tests": hashlib.sha256(extra).hexdigest() if tests else "",
            "python": ".".join(map(str, sys.version_info[:2]))}


def ready(tests: bool = False) -> bool:
    """True when the environment is there, whole and up to date."""
    found = _stamp()
    need = wanted(tests)
    same = all(found.get(k) == need[k] for k in ("packages", "llama", "python"))
    return (same and python_of(VENV).exists()
            and (not tests or found.get("tests") == need["tests"]))


def _stamp() -> dict[str, object]:
    try:
        found = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def ensure(tests: bool = False) -> Path:
    """Make the environment if it is not ready; its interpreter.

    Raises
    ------
    Trouble
        When it cannot be made.
    """
    if not ready(tests):
        _make(tests)
    return python_of(VENV)


def _make(tests: bool) -> None:
    started = time.monotonic()
    if sys.version_info < OLDEST:
        raise Trouble(f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old; install "
                      "3.11 or newer from https://www.python.org/downloads/")
    if sys.maxsize < 2**32:
        raise Trouble("this Python is 32-bit; install the 64-bit one from "
                      "https://www.python.org/downloads/")
    if shutil.disk_usage(ROOT).free < 1_500_000_000:
        raise Trouble(f"{ROOT}: less than 1.5 GB is free; make room and run it again")
    before = _stamp()
    STAMP.unlink(missing_ok=True)
    _say("1/4  Making the environment in .venv")
    _environment()
    _say("2/4  Installing packages (about 150 MB the first time)")
    files = ["-r", str(ROOT / "requirements.txt")]
    if tests or before.get("tests"):
        files += ["-r", str(ROOT / "requirements-tests.txt")]
    _pip(["install", *files], "the packages could not be installed")
    _say("3/4  Installing llama-cpp-python, which runs the models")
    _llama()
    if tests:
        _vocabularies()
    _say("4/4  Checking")
    _check()
    stamp = wanted(tests)
    if before.get("tests") and not tests:
        stamp["tests"] = before["tests"]
    part = STAMP.with_suffix(".part")
    part.write_text(json.dumps(stamp), encoding="utf-8")
    os.replace(part, STAMP)
    _say(f"Ready after {time.monotonic() - started:.0f} s.")


def _environment() -> None:
    python = python_of(VENV)
    version = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    if python.exists():
        works = _run([str(python), "-c", version])
        if works.returncode == 0 and works.stdout.strip() == wanted(False)["python"]:
            return
    done = _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if done.returncode:
        raise Trouble(f"the environment could not be made ({_last(done)}); on Debian and Ubuntu "
                      "install python3-venv")


def _llama() -> None:
    python = python_of(VENV)
    probe = [str(python), "-c", "import llama_cpp; print(llama_cpp.__version__)"]
    there = _run(probe)
    if there.returncode == 0 and LLAMA in there.stdout:
        return
    _say("     trying the ready-made wheel")
    if _wheel(python) and _run(probe).returncode == 0:
        return
    if os.name == "nt":
        raise Trouble("the ready-made llama-cpp-python could not be fetched; check the network "
                      f"and that {WHEELS} can be opened, then run it again")
    if not any(shutil.which(c) for c in ("c++", "g++", "clang++")):
        raise Trouble("no ready-made llama-cpp-python and no C++ compiler; install one "
                      "(Debian, Ubuntu: apt install g++; macOS: xcode-select --install) and "
                      "run it again")
    _say("     there is none for this computer: building it (5 to 10 minutes)")
    environment = {"CMAKE_ARGS": f"{CMAKE} {os.environ.get('CMAKE_ARGS', '')}".strip()}
    done = _patiently([str(python), "-m", "pip", "install", "-q", "--no-deps", str(_source())],
                      environment)
    if done:
        raise Trouble(f"llama-cpp-python could not be built ({done}); see docs/install.md")


def _wheel(python: Path) -> bool:
    command = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--only-binary=:all:",
               "--index-url", WHEELS, "--timeout", "6", "--retries", "0",
               f"llama-cpp-python=={LLAMA}"]
    try:
        # Where nothing can be built, the wheel may take as long as it needs.
        limit = None if os.name == "nt" else WHEEL_TIMEOUT
        return _run(command, timeout=limit).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _source() -> Path:
    """The source archive of llama-cpp-python, fetched once."""
    folder = VENV / "sdist"
    archive = folder / f"llama_cpp_python-{LLAMA}.tar.gz"
    if not archive.exists():
        _pip(["download", "--no-deps", "--no-binary=llama-cpp-python", "-d", str(folder),
              f"llama-cpp-python=={LLAMA}"],
             "the source of llama-cpp-python could not be fetched")
    return archive


def _vocabularies() -> None:
    """The tokenizers of real models, for the tests; they lie in llama-cpp-python's source."""
    if VOCABS.is_dir() and len(list(VOCABS.glob("*.gguf"))) >= 4:
        return
    _say("     fetching tokenizers of real models for the tests")
    part = VENV / "vocabs.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    with tarfile.open(_source()) as archive:
        for member in archive:
            name = Path(member.name).name
            if name.startswith("ggml-vocab-") and name.endswith(".gguf"):
                source = archive.extractfile(member)
                if source:
                    (part / name).write_bytes(source.read())
    shutil.rmtree(VOCABS, ignore_errors=True)
    os.replace(part, VOCABS)


def _check() -> None:
    names = "llama_cpp, numpy, scipy, music21, pydub, mutagen, miniaudio, imageio_ffmpeg, curses"
    done = _run([str(python_of(VENV)), "-c", f"import {names}"])
    if done.returncode in (-4, 0xC000001D):
        raise Trouble("this processor lacks AVX, which the ready-made llama-cpp-python needs; "
                      "see docs/install.md")
    if done.returncode:
        raise Trouble(f"a package does not start ({_last(done)}); delete .venv and run it again")


def _pip(words: list[str], failure: str) -> None:
    done = _run([str(python_of(VENV)), "-m", "pip", words[0], "-q",
                 "--disable-pip-version-check", *words[1:]])
    if done.returncode:
        raise Trouble(f"{failure} ({_last(done)}); check the network and run it again")


def _run(command: list[str], timeout: float | None = None
         ) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=timeout, check=False)


def _patiently(command: list[str], extra: dict[str, str]) -> str:
    """Run a long command with a sign of life a minute; its last words when it fails."""
    log = VENV / "build.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, env={**os.environ, **extra})
        minutes = 0
        try:
            while True:
                try:
                    process.wait(60)
                    break
                except subprocess.TimeoutExpired:
                    minutes += 1
                    _say(f"     still building, {minutes} min")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode == 0:
        return ""
    lines = [x for x in log.read_text(encoding="utf-8", errors="replace").splitlines() if x.strip()]
    return lines[-1][:200] if lines else f"status {process.returncode}"


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = [x.strip() for x in (done.stderr + done.stdout).splitlines() if x.strip()]
    errors = [x for x in lines if x.lower().startswith("error")]
    return (errors or lines or [f"status {done.returncode}"])[-1][:200]


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def main() -> int:
    """Install; the exit status."""
    try:
        tests = "--tests" in sys.argv[1:]
        unknown = [w for w in sys.argv[1:] if w != "--tests"]
        if unknown:
            raise Trouble(f"'{unknown[0]}' is not known; the only option is --tests")
        if ready(tests):
            _say("Everything is installed.")
        ensure(tests)
    except Trouble as trouble:
        _say(f"requisites: {trouble}")
        return 1
    except KeyboardInterrupt:
        _say("requisites: stopped; run it again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
