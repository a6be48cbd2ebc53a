"""Where sound goes: miniaudio, simpleaudio, or nowhere in time.

An output takes samples when it needs them, from whoever gives them; it knows nothing of songs.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE

Read = Callable[[int], npt.NDArray[np.float32]]  # frames wanted -> (frames, 2), -1 to 1

_BUFFER = 200  # milliseconds that the device is ahead
_PATIENCE = 1.5  # seconds without a question after which a device is given up
_PIECE = 2 * RATE  # frames that simpleaudio is given at once
_STEP = 0.1  # seconds between two looks of the outputs that keep time themselves


class Output(Protocol):
    """Takes samples and makes them heard."""

    name: str

    def start(self, read: Read) -> None:
        """Begin to ask `read` for samples, from another thread, until closed."""

    def hold(self, held: bool) -> None:
        """Ask for nothing while there is nothing to hear; costs no processor time then."""

    def alive(self) -> bool:
        """False when the device has gone."""

    def ahead(self) -> int:
        """Frames that were taken and are not heard yet; 0 where that is next to nothing."""

    def recall(self) -> None:
        """Forget them: something else is to be heard at once."""

    def close(self) -> None:
        """Fall silent and let go of the device."""


class MiniaudioOutput:
    """A sound device through miniaudio.

    Parameters
    ----------
    device : str
        Its name; empty, or one that is not there, takes the system's.
    """

    name = "miniaudio"

    def __init__(self, device: str = "") -> None:
        import miniaudio

        found = (
            [d for d in miniaudio.Devices().get_playbacks() if d["name"] == device]
            if device
            else []
        )
        self._device: Any = miniaudio.PlaybackDevice(
            output_format=miniaudio.SampleFormat.FLOAT32,
            nchannels=2,
            sample_rate=RATE,
            buffersize_msec=_BUFFER,
            device_id=found[0]["id"] if found else None,
            app_name="Llm-Music-Gen",
        )
        if "null" in str(self._device.backend).lower():
            self._device.close()
            raise OSError("no sound device")
        self._asked = time.monotonic()
        self._read: Read | None = None

    def start(self, read: Read) -> None:
        self._read = read
        self.hold(False)

    def hold(self, held: bool) -> None:
        if held and self._device.running:
            self._device.stop()
        elif not held and not self._device.running and self._read:
            feed = self._feed(self._read)
            next(feed)
            self._asked = time.monotonic()
            self._device.start(feed)

    def alive(self) -> bool:
        return not self._device.running or time.monotonic() - self._asked < _PATIENCE

    def ahead(self) -> int:
        return 0

    def recall(self) -> None:
        """The device is never far ahead."""

    def close(self) -> None:
        self._device.close()

    def _feed(self, read: Read) -> Generator[bytes, int, None]:
        # Runs in the device's thread, which must never be stopped from here.
        wanted = yield b""
        while True:
            self._asked = time.monotonic()
            wanted = yield read(wanted).tobytes()


class _Timed:
    """An output with a thread that takes samples in time."""

    def __init__(self) -> None:
        self._end, self._going = threading.Event(), threading.Event()
        self._going.set()
        self._thread: threading.Thread | None = None

    def start(self, read: Read) -> None:
        self._thread = threading.Thread(target=self._run, args=(read,), daemon=True)
        self._thread.start()

    def hold(self, held: bool) -> None:
        (self._going.clear if held else self._going.set)()

    def alive(self) -> bool:
        return True

    def ahead(self) -> int:
        return 0

    def recall(self) -> None:
        """Nothing is ahead."""

    def close(self) -> None:
        self._end.set()
        self._going.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(2.0)

    def _run(self, read: Read) -> None:
        raise NotImplementedError


class NullOutput(_Timed):
    """Silence that keeps time."""

    name = "null"

    def _run(self, read: Read) -> None:
        last = time.monotonic()
        while not self._end.wait(_STEP):
            if not self._going.is_set():
                self._going.wait()
                last = time.monotonic()
            now = time.monotonic()
            due = round((now - last) * RATE)
            read(due if due < RATE else RATE // 10)  # else the machine was asleep
            last = now


class SimpleaudioOutput(_Timed):
    """Through simpleaudio, which takes whole buffers: it gets long pieces, one after the other."""

    name = "simpleaudio"

    def __init__(self) -> None:
        super().__init__()
        import simpleaudio

        self._lib = simpleaudio
        self._lock = threading.Lock()
        self._playing: Any = None
        self._begun, self._given = 0.0, 0

    def ahead(self) -> int:
        with self._lock:
            if self._playing is None:
                return 0
            return max(0, self._given - round((time.monotonic() - self._begun) * RATE))

    def recall(self) -> None:
        with self._lock:
            if self._playing is not None:
                self._playing.stop()
            self._playing = None

    def close(self) -> None:
        super().close()
        self.recall()

    def _run(self, read: Read) -> None:
        while not self._end.wait(_STEP / 10):
            self._going.wait()
            with self._lock:
                if self._playing is not None and self._playing.is_playing():
                    continue
                samples = (read(_PIECE) * 32767).astype(np.int16)
                self._begun = time.monotonic()
                self._given = len(samples) if samples.any() else 0  # nobody waits for silence
                self._playing = self._lib.play_buffer(samples, 2, 2, RATE)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the C libraries of the sound system from printing on the console."""
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def device_names() -> tuple[str, ...]:
    """The sound devices of this computer."""
    try:
        import miniaudio

        with _quiet():
            devices = miniaudio.Devices()
            silent = "null" in str(devices.backend).lower()
            return () if silent else tuple(str(d["name"]) for d in devices.get_playbacks())
    except Exception:  # as in open_output
        return ()


def open_output(choice: str) -> tuple[Output, str]:
    """The output that was chosen, and a line when another one had to be taken.

    Parameters
    ----------
    choice : str
        ``auto``, ``miniaudio``, ``simpleaudio`` or ``null``; behind an ``@`` the name of a device.
    """
    name, _, device = choice.partition("@")
    order = {
        "auto": ("miniaudio", "null"),
        "miniaudio": ("miniaudio", "null"),
        "simpleaudio": ("simpleaudio", "miniaudio", "null"),
        "null": ("null",),
    }[name]
    makers: dict[str, Callable[[], Output]] = {
        "miniaudio": lambda: MiniaudioOutput(device),
        "simpleaudio": SimpleaudioOutput,
        "null": NullOutput,
    }
    for choice in order:
        try:
            with _quiet():
                output = makers[choice]()
        except Exception:  # each library has its own ways to say that there is no device
            continue
        if choice == "null" and name != "null":
            return output, "No sound device was found: playing silently, in time."
        if choice != order[0]:
            return output, f"{order[0]} cannot be used here; playing through {choice}."
        return output, ""
    return NullOutput(), "No sound device was found: playing silently, in time."
