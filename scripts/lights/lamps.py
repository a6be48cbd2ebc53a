"""Sends light to lamps over the network: sACN and Art-Net (DMX), and WLED."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from scripts.core.errors import SetupError, UsageError
from scripts.lights.fixtures import CHANNELS, Fixture, fill_universe
from scripts.lights.show import DARK, Light

_WLED_PORT, _ARTNET_PORT = 21324, 6454
_WLED_RGB, _WLED_TIMEOUT = 2, 2  # protocol DRGB; seconds after which WLED goes its own way again
_SACN_RATE = 100  # times a second that the library looks for changes
_MAX_UNIVERSE = {"sacn": 63_999, "artnet": 32_767}
_DARK_FRAMES = 3  # at the end, as a packet can get lost

LightAt = Callable[[float], Light]  # the light so many seconds ago


class Lamps(Protocol):
    """Lamps at one address."""

    def send(self, light_at: LightAt) -> None:
        """Send the light of this moment."""

    def close(self) -> None:
        """Turn the lamps dark and end the connection."""


def open_lamps(address: str, fixtures: Sequence[Fixture]) -> Lamps:
    """Open the lamps at an address.

    Parameters
    ----------
    address : str
        ``sacn://UNIVERSE`` (multicast) or ``sacn://HOST/UNIVERSE``, ``artnet://HOST/UNIVERSE``
        (0 if it is left out), or ``wled://HOST``; a host may have a port.
    fixtures : sequence of Fixture

    Raises
    ------
    UsageError
        When the address is invalid.
    SetupError
        When a library is missing, or the network cannot be used.
    """
    parts = urlsplit(address)
    kinds: dict[str, Callable[[str, int | None, str, Sequence[Fixture]], Lamps]] = {
        "sacn": _SacnLamps,
        "artnet": _ArtNetLamps,
        "wled": _WledLamps,
    }
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if parts.scheme not in kinds or not host:
        raise UsageError(
            f'invalid address of lamps "{address[:60]}": expected sacn://UNIVERSE, '
            "sacn://HOST/UNIVERSE, artnet://HOST/UNIVERSE or wled://HOST"
        )
    try:
        return kinds[parts.scheme](host, port, parts.path.strip("/"), fixtures)
    except ImportError as error:
        raise SetupError(
            f"lamps need {error.name}: in the program's environment, python -m pip install "
            '"sacn" "stupidArtnet" (docs/mood.md)'
        ) from error
    except OSError as error:
        raise SetupError(
            f"cannot reach the lamps at {address[:60]} ({error.strerror or error}); check the "
            "address and the network"
        ) from error


class _SacnLamps:
    """A universe over sACN (E1.31)."""

    def __init__(self, host: str, port: int | None, path: str, fixtures: Sequence[Fixture]) -> None:
        import sacn

        is_multicast = host.isdigit() and not path
        self._universe = _parse_universe("sacn", host if is_multicast else path or "1", 1)
        self._fixtures = fixtures
        self._sender: Any = sacn.sACNsender(
            source_name="Llm-Music-Gen", bind_port=0, fps=_SACN_RATE
        )
        self._sender.start()
        self._sender.activate_output(self._universe)
        output = self._sender[self._universe]
        output.multicast = is_multicast
        if not is_multicast:
            output.destination = _resolve(host)

    def send(self, light_at: LightAt) -> None:
        # Sent by the library's own thread as soon as it has changed, else once a second.
        self._sender[self._universe].dmx_data = tuple(fill_universe(self._fixtures, light_at))

    def close(self) -> None:
        self.send(lambda seconds: DARK)
        self._sender.deactivate_output(self._universe)  # sends the last frame three times
        self._sender.stop()


class _ArtNetLamps:
    """A universe over Art-Net."""

    def __init__(self, host: str, port: int | None, path: str, fixtures: Sequence[Fixture]) -> None:
        from stupidArtnet import StupidArtnet

        self._fixtures = fixtures
        universe = _parse_universe("artnet", path or "0", 0)
        self._client: Any = StupidArtnet(
            _resolve(host), universe, CHANNELS, port=port or _ARTNET_PORT
        )

    def send(self, light_at: LightAt) -> None:
        self._client.set(bytearray(fill_universe(self._fixtures, light_at)))
        self._client.show()

    def close(self) -> None:
        for _ in range(_DARK_FRAMES):
            self.send(lambda seconds: DARK)
        self._client.close()


class _WledLamps:
    """A strip of LEDs of a WLED controller, over its UDP realtime protocol."""

    def __init__(self, host: str, port: int | None, path: str, fixtures: Sequence[Fixture]) -> None:
        strips = [fixture for fixture in fixtures if fixture.kind == "strip"]
        self._strip = strips[0] if strips else Fixture(kind="strip")
        self._address = _resolve(host), port or _WLED_PORT
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, light_at: LightAt) -> None:
        rgb = bytes(light_at(self._strip.delay).rgb)
        self._socket.sendto(
            bytes((_WLED_RGB, _WLED_TIMEOUT)) + rgb * self._strip.leds, self._address
        )

    def close(self) -> None:
        for _ in range(_DARK_FRAMES):
            self.send(lambda seconds: DARK)
        self._socket.close()


def _parse_universe(scheme: str, text: str, first: int) -> int:
    if text.isdecimal() and first <= int(text) <= _MAX_UNIVERSE[scheme]:
        return int(text)
    raise UsageError(f'invalid universe "{text[:20]}": expected {first} to {_MAX_UNIVERSE[scheme]}')


def _resolve(host: str) -> str:
    """IPv4 address of a host."""
    return socket.gethostbyname(host)
