"""Orders: what to make, as plain data that is kept and read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.production.recipe import wishes_from_json, wishes_to_json
from scripts.request.spec import MOST_SONGS, Wishes

ALSO = ("wav", "mid", "abc", "musicxml", "stems")
MOST_SEED = 1 << 40
AGAIN = ".json"  # of a song that is made again


@dataclass(frozen=True)
class Order:
    """What to make.

    Parameters
    ----------
    wishes : Wishes
    songs : int
    seed : int
        Song n has the seed plus n.
    model : str
        Name or file; empty chooses.
    temperature : float
    out : Path
    bitrate : int
        kbit/s.
    also : tuple of str
        Files to keep beside the MP3 and the ABC: ``wav``, ``mid``, ``musicxml``, ``stems``.
    file : Path, optional
        Somebody's notes (ABC, MIDI, MusicXML) to play instead of asking a model.

    Raises
    ------
    UsageError
        When a number or a word is out of range.
    """

    wishes: Wishes
    songs: int
    seed: int
    model: str
    temperature: float
    out: Path
    bitrate: int = 192
    also: tuple[str, ...] = ()
    file: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 2:
            raise UsageError(
                f"temperature {self.temperature:g} is out of range; 0 to 2 can be used"
            )
        if not 1 <= self.songs <= MOST_SONGS:
            raise UsageError(
                f"{self.songs} songs are out of range; 1 to {MOST_SONGS:,} can be made"
            )
        if not 0 <= self.seed < MOST_SEED:
            raise UsageError(f"seed {self.seed} is out of range; 0 to {MOST_SEED - 1} can be used")
        wrong = [word for word in self.also if word not in ALSO]
        if wrong:
            raise UsageError(f'also "{wrong[0][:20]}" cannot be made; {", ".join(ALSO)} can')

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "wishes": wishes_to_json(self.wishes),
            "songs": self.songs,
            "seed": self.seed,
            "model": self.model,
            "temperature": self.temperature,
            # The usual folder moves with the program.
            "out": "" if self.out == paths.OUTPUT.absolute() else str(self.out),
            "bitrate": self.bitrate,
            "also": list(self.also),
            "file": str(self.file) if self.file else None,
        }


def order_from_json(data: Any) -> Order:
    """An order from plain data.

    Raises
    ------
    UsageError
        When it is none.
    """
    try:
        file = data["file"]
        return Order(
            wishes_from_json(data["wishes"]),
            int(data["songs"]),
            int(data["seed"]),
            str(data["model"]),
            float(data["temperature"]),
            Path(data["out"]) if data["out"] else paths.OUTPUT.absolute(),
            int(data["bitrate"]),
            tuple(map(str, data["also"])),
            Path(file) if file else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError("the order that was kept is damaged; order the songs again") from error


def separate(styles: str) -> list[str]:
    """The styles of several orders: ``Chill, Dubstep | Jazz`` are two."""
    return [part.strip() for part in styles.split("|") if part.strip()] or [styles]


def words_also(text: str) -> tuple[str, ...]:
    """The kinds of files that a user listed with commas between them."""
    return tuple(w.strip().lower() for w in text.split(",") if w.strip())
