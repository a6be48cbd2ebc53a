"""Lamps follow the player, packet by packet: real receivers on this computer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core import paths
from scripts.core.errors import SetupError, UsageError
from scripts.jukebox.lamp_thread import LampThread
from scripts.jukebox.light_follower import LightFollower
from scripts.lights.fixtures import load_fixtures
from scripts.lights.lamps import open_lamps
from scripts.lights.show import Light, LightMode, LightScene, LightShow
from scripts.lights.show_file import format_show, show_path
from tests.support.waiting import wait_until

FIXTURES = load_fixtures(paths.DATA / "lights.toml")
ORANGE = Light((1.0, 0.5, 0.0), 1.0)


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(5)
        yield found


def port(receiver: socket.socket) -> int:
    return int(receiver.getsockname()[1])


def test_art_net_packets_have_the_universe_and_its_channels(receiver: socket.socket) -> None:
    pytest.importorskip("stupidArtnet")
    lamps = open_lamps(f"artnet://127.0.0.1:{port(receiver)}/3", FIXTURES)
    lamps.send(lambda seconds: ORANGE)
    packet = receiver.recv(1024)
    assert packet[:8] == b"Art-Net\0"
    assert int.from_bytes(packet[8:10], "little") == 0x5000  # OpDmx
    assert int.from_bytes(packet[14:16], "little") == 3
    assert packet[18:24] == bytes((255, 128, 0, 255, 128, 0))
    assert packet[24:28] == bytes((255, 255, 128, 0))
    lamps.close()
    assert not any(receiver.recv(1024)[18:])


def test_wled_packets_have_a_color_for_each_led(receiver: socket.socket) -> None:
    lamps = open_lamps(f"wled://127.0.0.1:{port(receiver)}", FIXTURES)
    lamps.send(lambda seconds: ORANGE)
    assert receiver.recv(1024) == bytes((2, 2)) + bytes((255, 128, 0)) * 60
    lamps.close()
    assert receiver.recv(1024) == bytes((2, 2)) + bytes(180)


def test_sacn_reaches_a_real_receiver_and_ends_dark() -> None:
    sacn = pytest.importorskip("sacn")
    found = sacn.sACNreceiver(bind_address="127.0.0.1")
    frames: list[tuple[int, ...]] = []
    found.register_listener("universe", lambda packet: frames.append(packet.dmxData), universe=7)
    found.start()
    try:
        lamps = open_lamps("sacn://127.0.0.1/7", FIXTURES)
        for _ in range(20):
            lamps.send(lambda seconds: ORANGE)
            time.sleep(0.02)
        wait_until(lambda: any(frame[:3] == (255, 128, 0) for frame in frames))
        lamps.close()
        wait_until(lambda: not any(frames[-1]))
    finally:
        found.stop()


@pytest.mark.parametrize(
    "address", ["", "dmx://1", "sacn://", "sacn://99999", "artnet://127.0.0.1/x", "wled://h:99999"]
)
def test_an_invalid_address_says_what_is_expected(address: str) -> None:
    with pytest.raises(UsageError, match="expected"):
        open_lamps(address, FIXTURES)


def test_an_unknown_host_is_an_error_of_one_line() -> None:
    with pytest.raises(SetupError, match="cannot reach the lamps"):
        open_lamps("wled://no-such-host.invalid", FIXTURES)


@pytest.mark.slow
def test_lamps_flash_when_the_beats_are_heard(receiver: socket.socket, tmp_path: Path) -> None:
    """A clock stands for the player; each flash arrives within 50 ms of its beat."""
    scene = LightScene(0.0, 60.0, "", (255, 255, 255), (255, 255, 255), 0.1, 0.0)
    beats = tuple((n * 0.5, 1.0) for n in range(1, 100))
    show = LightShow(60.0, "", (scene,), beats, 1.0, 10.0)
    song = tmp_path / "a.mp3"
    show_path(song).write_text(format_show(show), encoding="utf-8")
    started = time.monotonic()

    def heard() -> list[tuple[Path, float, float]]:
        return [(song, time.monotonic() - started, 1.0)]

    lamps = open_lamps(f"wled://127.0.0.1:{port(receiver)}", FIXTURES)
    thread = LampThread([lamps], LightFollower(LightMode.FULL), heard)
    flashes, level = [], 0
    while len(flashes) < 12:
        packet = receiver.recv(1024)
        if packet[2] > level + 60:
            flashes.append(time.monotonic() - started)
        level = packet[2]
    thread.close()
    late = sorted(at % 0.5 for at in flashes)
    assert late[int(0.9 * len(late))] < 0.05
    while any((packet := receiver.recv(1024))[2:]):
        pass
    assert packet[:2] == bytes((2, 2))
