"""Where sound goes: miniaudio, simpleaudio, or nowhere in time."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from array import array
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from scripts.synth import RATE


class Output(Protocol):
    """Plays one file at a time. All methods return at once."""

    name: str

    def play(self, path: Path, start: float, volume: float) -> None:
        """Start `path` at `start` seconds; raises OSError or ValueError when it cannot."""

    def pause(self, paused: bool) -> None:
        """Hold or go on."""

    def set_volume(self, volume: float) -> None:
        """0 to 1."""

    def position(self) -> float:
        """Seconds played of the file."""

    def finished(self) -> bool:
        """True when the file has been played to its end."""

    def stop(self) -> None:
        """Be silent and let go of the file."""


def duration_of(path: Path) -> float:
    """Length of an audio file in seconds, 0 when it cannot be read."""
    try:
        import miniaudio
        return float(miniaudio.get_file_info(str(path)).duration)
    except Exception:  # miniaudio raises its own kinds for each codec
        return 0.0


class MiniaudioOutput:
    """Streams files through miniaudio to the sound device."""

    name = "miniaudio"

    def __init__(self) -> None:
        import miniaudio
        self._lib = miniaudio
        self._device: Any = miniaudio.PlaybackDevice(
            output_format=miniaudio.SampleFormat.SIGNED16, nchannels=2, sample_rate=RATE,
            buffersize_msec=200, app_name="Llm-Music-Gen")
        if "null" in str(self._device.backend).lower():
            self._device.close()
            raise OSError("no sound device")
        self._lock = threading.Lock()
        self._stream: Any = None
        self._frames, self._volume, self._gain = 0, 1.0, 1.0
        self._paused, self._done = False, False
        self._start = 0.0

    def play(self, path: Path, start: float, volume: float) -> None:
        self.stop()
        try:
            stream = self._lib.stream_file(
                str(path), self._lib.SampleFormat.SIGNED16, 2, RATE, 1024,
                seek_frame=int(start * RATE))
            first = next(stream)
        except (self._lib.MiniaudioError, StopIteration) as error:
            raise ValueError(f"{path.name} cannot be decoded") from error
        with self._lock:
            self._stream, self._held = stream, first
            self._frames, self._start = 0, start
            self._volume = self._gain = volume
            self._done, self._paused = False, False
        feed = self._feed()
        next(feed)
        self._device.start(feed)

    def pause(self, paused: bool) -> None:
        self._paused = paused

    def set_volume(self, volume: float) -> None:
        self._volume = volume

    def position(self) -> float:
        return self._start + self._frames / RATE

    def finished(self) -> bool:
        return self._done

    def stop(self) -> None:
        if self._device.running:
            self._device.stop()
        with self._lock:
            self._stream = None

    def close(self) -> None:
        """Let go of the device."""
        self._device.close()

    def _feed(self) -> Generator[bytes, int, None]:
        # Runs in the audio thread: it never stops the device, it only falls silent.
        wanted = yield b""
        while True:
            sound = self._take(wanted)
            silence = np.zeros((wanted - len(sound), 2), np.int16)
            wanted = yield np.concatenate((sound, silence)).tobytes()

    def _take(self, wanted: int) -> np.ndarray[Any, np.dtype[np.int16]]:
        pieces: list[np.ndarray[Any, Any]] = []
        have = 0
        with self._lock:
            while have < wanted and self._stream is not None and not self._paused:
                if self._held is None:
                    try:
                        self._held = self._stream.send(wanted - have)
                    except StopIteration:
                        self._stream, self._done = None, True
                        break
                piece = np.frombuffer(self._held, np.int16).reshape(-1, 2)
                self._held = None
                if len(piece) > wanted - have:
                    self._held = array("h", piece[wanted - have:].tobytes())
                    piece = piece[:wanted - have]
                pieces.append(piece)
                have += len(piece)
        self._frames += have
        if not pieces:
            return np.zeros((0, 2), np.int16)
        # A ramp over the block keeps a change of volume from clicking.
        ramp = np.linspace(self._gain, self._volume, have, dtype=np.float32)[:, None]
        self._gain = self._volume
        return np.asarray(np.concatenate(pieces) * ramp, dtype=np.int16)


class SimpleaudioOutput:
    """Plays through simpleaudio, which takes only whole files and has no volume of its own."""

    name = "simpleaudio"

    def __init__(self) -> None:
        import simpleaudio
        self._lib = simpleaudio
        self._playing: Any = None
        self._clock = _Clock()
        self._length = 0.0

    def play(self, path: Path, start: float, volume: float) -> None:
        import miniaudio
        self.stop()
        try:
            decoded = miniaudio.mp3_read_s16(path.read_bytes()) if path.suffix == ".mp3" else \
                miniaudio.decode(path.read_bytes())
        except miniaudio.MiniaudioError as error:
            raise ValueError(f"{path.name} cannot be decoded") from error
        samples = np.frombuffer(decoded.samples, np.int16).reshape(-1, decoded.nchannels)
        samples = samples[int(start * decoded.sample_rate):]
        self._length = start + len(samples) / decoded.sample_rate
        loud = (samples * np.float32(volume)).astype(np.int16)
        self._playing = self._lib.play_buffer(loud, decoded.nchannels, 2, decoded.sample_rate)
        self._clock.start(start)

    def pause(self, paused: bool) -> None:
        self._clock.pause(paused)
        if self._playing:
            (self._playing.pause if paused else self._playing.resume)()

    def set_volume(self, volume: float) -> None:
        """Heard from the next song on."""

    def position(self) -> float:
        return self._clock.seconds()

    def finished(self) -> bool:
        return self._playing is not None and self._clock.seconds() >= self._length

    def stop(self) -> None:
        if self._playing:
            self._playing.stop()
        self._playing = None


class NullOutput:
    """Silence that keeps time."""

    name = "null"

    def __init__(self) -> None:
        self._clock = _Clock()
        self._length = 0.0

    def play(self, path: Path, start: float, volume: float) -> None:
        self._length = duration_of(path)
        if not self._length:
            raise ValueError(f"{path.name} cannot be decoded")
        self._clock.start(start)

    def pause(self, paused: bool) -> None:
        self._clock.pause(paused)

    def set_volume(self, volume: float) -> None:
        """There is nothing to hear."""

    def position(self) -> float:
        return min(self._clock.seconds(), self._length)

    def finished(self) -> bool:
        return bool(self._length) and self._clock.seconds() >= self._length

    def stop(self) -> None:
        self._length = 0.0


class _Clock:
    """Seconds since a start, without the pauses."""

    def __init__(self) -> None:
        self._begun, self._before, self._running = 0.0, 0.0, False

    def start(self, at: float) -> None:
        self._begun, self._before, self._running = time.monotonic(), at, True

    def pause(self, paused: bool) -> None:
        if paused and self._running:
            self._before, self._running = self.seconds(), False
        elif not paused and not self._running:
            self._begun, self._running = time.monotonic(), True

    def seconds(self) -> float:
        return self._before + (time.monotonic() - self._begun if self._running else 0.0)


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


def open_output(name: str) -> tuple[Output, str]:
    """The output called `name`, and a line when another one had to be taken."""
    order = {"auto": ("miniaudio", "null"), "miniaudio": ("miniaudio", "null"),
             "simpleaudio": ("simpleaudio", "miniaudio", "null"), "null": ("null",)}[name]
    makers = {"miniaudio": MiniaudioOutput, "simpleaudio": SimpleaudioOutput, "null": NullOutput}
    for choice in order:
        try:
            with _quiet():
                output: Output = makers[choice]()  # type: ignore[assignment]
        except Exception:  # each library has its own ways to say that there is no device
            continue
        if choice == "null" and name != "null":
            return output, "No sound device was found: playing silently, in time."
        if choice != order[0]:
            return output, f"{order[0]} cannot be used here; playing through {choice}."
        return output, ""
    return NullOutput(), "No sound device was found: playing silently, in time."
