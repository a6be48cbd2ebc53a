"""Production of a song: audio, the MP3 with its tags, and the files beside it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.arranger.arrange import SongArrangement
from scripts.audio.live_audio import LiveWriter
from scripts.audio.mp3 import Tags, encode_mp3, encode_stream, write_tags
from scripts.audio.wav import WavWriter, write_wav
from scripts.composer.compose import Composition
from scripts.core import paths
from scripts.core.audio_format import BINAURAL, RATE, Stereo
from scripts.core.errors import Cancelled, NotationError
from scripts.core.json_fields import format_json
from scripts.core.stages import LIVE_STAGE, StageCallback
from scripts.exports.midi import write_midi
from scripts.exports.musicxml import build_musicxml
from scripts.library.song_files import SongFiles
from scripts.library.songs import Song, read_song
from scripts.lights.build import build_light_show
from scripts.lights.show import LightShow
from scripts.lights.show_file import LIGHT_SUFFIX, format_show, save_show
from scripts.production.recipe import Recipe
from scripts.production.recipe_json import recipe_to_json
from scripts.production.summary import summarize
from scripts.request.spec import SongSpec
from scripts.score.abc_writer import write_abc
from scripts.styles.moods import load_moods
from scripts.synth.instruments import Instrument
from scripts.synth.loudness import SILENCE, LoudnessMeter
from scripts.synth.render import render, render_stems


@dataclass(frozen=True)
class RenderOptions:
    """Options for rendering and encoding a song.

    Parameters
    ----------
    bitrate : int
        Of the MP3, in kbit/s.
    extra_formats : tuple of str
        Formats to write in addition to MP3 and ABC: ``wav``, ``mid``, ``musicxml``, ``stems``.
    soundfont : Path or None
        SoundFont whose sampled instruments to use.
    threads : int
        Threads that prepare sounds before the first block; later the encoder needs one.
    live : Path, optional
        File for the audio while it is rendered (:mod:`scripts.audio.live_audio`).
    """

    bitrate: int
    extra_formats: tuple[str, ...]
    soundfont: Path | None
    threads: int = 1
    live: Path | None = None


@dataclass(frozen=True)
class Production:
    """Song that is ready to be rendered.

    Parameters
    ----------
    spec : SongSpec
    composition : Composition
    arrangement : SongArrangement
    recipe : Recipe
        Stored in the song's ``.json``.
    instruments : mapping of str to Instrument
        All instruments by name.
    """

    spec: SongSpec
    composition: Composition
    arrangement: SongArrangement
    recipe: Recipe
    instruments: Mapping[str, Instrument]

    def produce(
        self,
        files: SongFiles,
        options: RenderOptions,
        report: StageCallback,
        cancelled: Callable[[], bool],
    ) -> Song:
        """Render, encode and tag the song, then give every file its final name, the MP3 last.

        The MP3 is encoded while the song is rendered. If a WAV is requested too, it is written
        first and pydub converts it to MP3.

        Parameters
        ----------
        files : SongFiles
            Temporary and final names of the song's files.
        options : RenderOptions
        report : callable
            Called with the stage, the fraction done (0 to 1) and a text.
        cancelled : callable
            Checked for every block.

        Raises
        ------
        Cancelled
            When `cancelled` returns True.
        NotationError
            When nothing would be heard.
        StorageError
            When a file cannot be written.
        """
        formats = options.extra_formats
        roles = (*self.arrangement.tracks, *[BINAURAL] * bool(self.spec.binaural))
        stems = tuple(f".{role}.wav" for role in roles if "stems" in formats)
        meter = LoudnessMeter()
        blocks = (
            self._write_stems(files, roles, options)
            if stems
            else render(self.arrangement, self.instruments, options.soundfont, options.threads)
        )
        blocks = _metered(blocks, cancelled, meter)
        if options.live:
            blocks = self._shared_live(blocks, options.live, report)
        frames = self._encode(files, options, blocks, report)
        if meter.loudness() <= SILENCE:
            raise NotationError("the song would be silent: its notes are too short or too soft")
        summary = summarize(self.spec, self.composition, self.arrangement)
        write_tags(files.part(".mp3"), song_tags(self.spec, self.composition, summary))
        if cancelled():
            raise Cancelled("stopped")
        details = song_details(
            self.spec,
            self.composition,
            self.arrangement,
            frames / RATE,
            self.recipe,
            summary,
            meter.loudness(),
        )
        texts = {
            ".json": format_json(details),
            ".abc": write_abc(self.composition.sheet),
            LIGHT_SUFFIX: format_show(self._light_show),
        }
        if "musicxml" in formats:
            texts[".musicxml"] = build_musicxml(self.arrangement, self.instruments)
        if "mid" in formats:
            title, spec = self.composition.sheet.title, self.spec
            midi = files.part(".mid")
            write_midi(midi, self.arrangement, self.instruments, title, spec.key, spec.meter)
        kept = [f".{name}" for name in ("wav", "mid") if name in formats]
        path = files.finish(texts, [*kept, *stems])
        report("convert", 1.0, "")
        return read_song(path)

    def _encode(
        self,
        files: SongFiles,
        options: RenderOptions,
        blocks: Iterator[Stereo],
        report: StageCallback,
    ) -> int:
        """Encode blocks as MP3, by way of a WAV file if one is requested; the number of frames."""
        total = round(self.spec.length * RATE)

        def progress(frames: int) -> None:
            report("render", frames / total, "")

        report("render", 0.0, "")
        mp3 = files.part(".mp3")
        if "wav" in options.extra_formats:
            wav = files.part(".wav")
            frames = write_wav(wav, blocks, progress)
            report("convert", 0.0, "")
            encode_mp3(wav, mp3, options.bitrate)
        else:
            frames = encode_stream(blocks, mp3, options.bitrate, progress)
            report("convert", 0.0, "")
        return frames

    def _shared_live(
        self, blocks: Iterator[Stereo], path: Path, report: StageCallback
    ) -> Iterator[Stereo]:
        """Yield the blocks and write them for the player, too; report when it can begin."""
        writer = LiveWriter(path, round(self.spec.length * RATE))
        save_show(path, self._light_show)
        is_reported = False
        try:
            for block in blocks:
                if writer.write(block) and not is_reported:
                    is_reported = True
                    report(LIVE_STAGE, 0.0, format_json(self._live_details(path)))
                yield block
            writer.complete()
        finally:
            writer.close()

    def _live_details(self, path: Path) -> dict[str, Any]:
        return {
            "path": str(path),
            "title": self.composition.sheet.title,
            "seconds": self.spec.length,
            "asked": self.spec.requested_styles,
            "key": str(self.spec.key),
            "meter": str(self.spec.meter),
            "tempo": self.spec.tempo,
            "model": self.composition.model,
            "loudness": self.arrangement.mastering.loudness,
            "narration": self.composition.narration,
        }

    @cached_property
    def _light_show(self) -> LightShow:
        return build_light_show(self.arrangement, load_moods(paths.DATA / "moods.toml"))

    def _write_stems(
        self, files: SongFiles, roles: tuple[str, ...], options: RenderOptions
    ) -> Iterator[Stereo]:
        """Yield the mix and write each track to its own WAV file meanwhile."""
        with ExitStack() as open_files:
            stems = {
                role: open_files.enter_context(WavWriter(files.part(f".{role}.wav")))
                for role in roles
            }
            for block in render_stems(self.arrangement, self.instruments, options.soundfont):
                for role, stem in block.stems.items():
                    stems[role].write(stem)
                yield block.mix


def _metered(
    blocks: Iterator[Stereo], cancelled: Callable[[], bool], meter: LoudnessMeter
) -> Iterator[Stereo]:
    for block in blocks:
        if cancelled():
            raise Cancelled("stopped")
        yield block
        meter.add(block.T)  # runs while the encoder works on the block


def song_details(
    spec: SongSpec,
    composition: Composition,
    arrangement: SongArrangement,
    seconds: float,
    recipe: Recipe,
    summary: str,
    loudness: float,
) -> dict[str, Any]:
    """Build the contents of the song's ``.json`` file.

    Parameters
    ----------
    seconds : float
        Rendered length.
    summary : str
        As :func:`summarize` returns it.
    loudness : float
        Integrated loudness in LUFS.
    """
    sheet = composition.sheet
    return {
        "title": sheet.title,
        "asked": spec.requested_styles,
        "text": recipe.request.text,
        "styles": list(spec.styles),
        "key": str(sheet.key),
        "meter": str(sheet.meter),
        "tempo": spec.tempo,
        "length": spec.length,
        "temperature": recipe.temperature,
        "form_asked": spec.form_requested,
        "seconds": round(seconds, 3),
        "loudness": round(loudness, 2),
        "tuning": round(spec.tuning.a4, 4),
        "binaural": spec.binaural,
        "loop": spec.loop,
        "seed": spec.seed,
        "parts": list(spec.parts),
        "chords": [c.symbol(sheet.key) for c in spec.chords],
        "form": [
            {"name": s.name, "bar": s.start, "bars": s.bars, "energy": round(s.energy, 2)}
            for s in arrangement.form
        ],
        "instruments": {role: t.instrument for role, t in arrangement.tracks.items()},
        "tracks": {role: asdict(t) for role, t in arrangement.tracks.items()},
        "model": composition.model,
        "tries": composition.tries,
        "critic": round(composition.cost, 3),
        "tokens": composition.tokens,
        "words_by": composition.words_by,
        "feeling": asdict(spec.feeling) if spec.feeling else None,
        "narration": composition.narration,
        "notes": list(spec.warnings),
        "summary": summary,
        "recipe": recipe_to_json(recipe),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def song_tags(spec: SongSpec, composition: Composition, summary: str) -> Tags:
    """Build the MP3's ID3 tags."""
    sheet = composition.sheet
    key = sheet.key.tonic + ("m" if sheet.key.is_minor else "")
    return Tags(
        title=sheet.title,
        artist=composition.model,
        album=spec.requested_styles,
        genre=spec.style.genre,
        bpm=round(spec.tempo),
        key=key,
        year=datetime.date.today().year,
        comment=summary,
    )
