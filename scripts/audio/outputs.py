"""Audio outputs: miniaudio, simpleaudio, or silence in real time.

An output pulls samples from a callback when it needs them; it knows nothing about songs.
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

ReadFrames = Callable[[int], npt.NDArray[np.float32]]  # frames wanted -> (frames, 2), -1 to 1

_BUFFER_MS, _PERIODS = 200, 3  # of the device: milliseconds of a period, periods
# Milliseconds from a request until what was delivered has sounded. All periods are full after a
# request; PulseAudio, measured at its server, takes the first ones sooner.
_UNHEARD_MS, _PULSE_UNHEARD_MS = _BUFFER_MS * _PERIODS, 310
_DEVICE_TIMEOUT = 1.5  # seconds without a request after which a device counts as lost
_CHUNK_FRAMES = 2 * RATE  # frames per simpleaudio buffer
_POLL_INTERVAL = 0.1  # polling interval of outputs with their own thread, seconds


class Output(Protocol):
    """Audio output that pulls samples and plays them."""

    name: str

    def start(self, read: ReadFrames) -> None:
        """Start pulling samples from `read`, in another thread, until closed."""

    def set_idle(self, idle: bool) -> None:
        """Stop or resume pulling samples; while stopped it uses no CPU time."""

    def alive(self) -> bool:
        """Whether the device still responds."""

    def frames_buffered(self) -> int:
        """Frames pulled but not played yet; 0 where that is negligible."""

    def frames_unheard(self) -> int:
        """Estimate of the frames that were pulled and have not sounded yet; may be below 0.

        Below 0: frames that have sounded since the last request, where each is for what is over.
        """

    def discard_buffer(self) -> None:
        """Discard those frames, so that the next ones pulled are played at once."""

    def close(self) -> None:
        """Stop and close the device."""


class MiniaudioOutput:
    """A sound device through miniaudio.

    Parameters
    ----------
    device : str
        Name of the device; empty or unknown selects the system default.

    Raises
    ------
    OSError
        When there is no sound device.
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
            buffersize_msec=_BUFFER_MS,
            callback_periods=_PERIODS,
            device_id=found[0]["id"] if found else None,
            app_name="Llm-Music-Gen",
        )
        if "null" in str(self._device.backend).lower():
            self._device.close()
            raise OSError("no sound device")
        is_pulse = "pulse" in str(self._device.backend).lower()
        self._unheard_ms = _PULSE_UNHEARD_MS if is_pulse else _UNHEARD_MS
        self._last_request = time.monotonic()
        self._read: ReadFrames | None = None

    def start(self, read: ReadFrames) -> None:
        self._read = read
        self.set_idle(False)

    def set_idle(self, idle: bool) -> None:
        if idle and self._device.running:
            self._device.stop()
        elif not idle and not self._device.running and self._read:
            feed = self._feed(self._read)
            next(feed)
            self._last_request = time.monotonic()
            self._device.start(feed)

    def alive(self) -> bool:
        return not self._device.running or time.monotonic() - self._last_request < _DEVICE_TIMEOUT

    def frames_buffered(self) -> int:
        return 0

    def frames_unheard(self) -> int:
        played = round((time.monotonic() - self._last_request) * RATE)
        return max(0, self._unheard_ms * RATE // 1000 - played)

    def discard_buffer(self) -> None:
        """Do nothing: the device buffer is short."""

    def close(self) -> None:
        self._device.close()

    def _feed(self, read: ReadFrames) -> Generator[bytes, int, None]:
        # Runs in the device's thread: never stop the device from here.
        wanted = yield b""
        while True:
            self._last_request = time.monotonic()
            wanted = yield read(wanted).tobytes()


class _ThreadedOutput:
    """Output with its own thread that pulls samples in real time."""

    def __init__(self) -> None:
        self._end, self._active = threading.Event(), threading.Event()
        self._active.set()
        self._thread: threading.Thread | None = None

    def start(self, read: ReadFrames) -> None:
        self._thread = threading.Thread(target=self._run, args=(read,), daemon=True)
        self._thread.start()

    def set_idle(self, idle: bool) -> None:
        (self._active.clear if idle else self._active.set)()

    def alive(self) -> bool:
        return True

    def frames_buffered(self) -> int:
        return 0

    def frames_unheard(self) -> int:
        return 0

    def discard_buffer(self) -> None:
        """Do nothing: nothing is buffered."""

    def close(self) -> None:
        self._end.set()
        self._active.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(2.0)

    def _run(self, read: ReadFrames) -> None:
        raise NotImplementedError


class NullOutput(_ThreadedOutput):
    """Output that plays nothing but consumes samples in real time."""

    name = "null"

    def __init__(self) -> None:
        super().__init__()
        self._last_request = time.monotonic()

    def frames_unheard(self) -> int:
        return -round(min(2 * _POLL_INTERVAL, time.monotonic() - self._last_request) * RATE)

    def _run(self, read: ReadFrames) -> None:
        self._last_request = time.monotonic()
        while not self._end.wait(_POLL_INTERVAL):
            if not self._active.is_set():
                self._active.wait()
                self._last_request = time.monotonic()
            now = time.monotonic()
            due = round((now - self._last_request) * RATE)
            read(due if due < RATE else RATE // 10)  # else the computer was suspended
            self._last_request = now


class SimpleaudioOutput(_ThreadedOutput):
    """Output through simpleaudio, which plays whole buffers: it gets two seconds at a time."""

    name = "simpleaudio"

    def __init__(self) -> None:
        super().__init__()
        import simpleaudio

        self._lib = simpleaudio
        self._lock = threading.Lock()
        self._playing: Any = None
        self._chunk_start, self._chunk_frames = 0.0, 0

    def frames_buffered(self) -> int:
        with self._lock:
            if self._playing is None:
                return 0
            return max(0, self._chunk_frames - round((time.monotonic() - self._chunk_start) * RATE))

    def frames_unheard(self) -> int:
        return self.frames_buffered()

    def discard_buffer(self) -> None:
        with self._lock:
            if self._playing is not None:
                self._playing.stop()
            self._playing = None

    def close(self) -> None:
        super().close()
        self.discard_buffer()

    def _run(self, read: ReadFrames) -> None:
        while not self._end.wait(_POLL_INTERVAL / 10):
            self._active.wait()
            with self._lock:
                if self._playing is not None and self._playing.is_playing():
                    continue
                samples = (read(_CHUNK_FRAMES) * 32767).astype(np.int16)
                self._chunk_start = time.monotonic()
                self._chunk_frames = len(samples) if samples.any() else 0  # silence is not buffered
                self._playing = self._lib.play_buffer(samples, 2, 2, RATE)


@contextlib.contextmanager
def _stderr_silenced() -> Iterator[None]:
    """Redirect stderr, so that C audio libraries cannot print to the console."""
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
    """Names of the playback devices; empty when there are none."""
    try:
        import miniaudio

        with _stderr_silenced():
            devices = miniaudio.Devices()
            silent = "null" in str(devices.backend).lower()
            return () if silent else tuple(str(d["name"]) for d in devices.get_playbacks())
    except Exception:  # as in open_output
        return ()


def open_output(choice: str) -> tuple[Output, str]:
    """Open an output, falling back to others down to silence.

    Parameters
    ----------
    choice : str
        ``auto``, ``miniaudio``, ``simpleaudio`` or ``null``, optionally ``@`` and a device name.

    Returns
    -------
    tuple of Output and str
        The output, and a notice when another one than the chosen had to be used.
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
            with _stderr_silenced():
                output = makers[choice]()
        except Exception:  # each library reports a missing device in its own way
            continue
        if choice == "null" and name != "null":
            return output, "No sound device was found; playing silently."
        if choice != order[0]:
            return output, f"{order[0]} is not available; playing through {choice}."
        return output, ""
    return NullOutput(), "No sound device was found; playing silently."
