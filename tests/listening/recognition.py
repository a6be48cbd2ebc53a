"""How networks that were trained on recordings recognize the songs: tables by style and tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.listening.taggers import MSD_TAGS, MTT_TAGS, Hearing

STYLES = (
    "afrobeat", "ambient", "blues", "bossa nova", "celtic", "chiptune", "classical", "country",
    "disco", "drum and bass", "dubstep", "film", "folk", "funk", "hip-hop", "house", "jazz",
    "lo-fi", "metal", "pop", "punk", "reggae", "rock", "soul", "techno", "trance",
)  # fmt: skip
# Played by people on instruments: a listener should not hear "electronic" first.
BAND_STYLES = (
    "afrobeat", "blues", "bossa nova", "celtic", "classical", "country", "folk", "funk", "jazz",
    "metal", "punk", "reggae", "rock", "soul",
)  # fmt: skip
ELECTRONIC_TAGS = ("electronic", "dance", "electronica", "electro", "House")
GENRE_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "dance", "jazz", "metal", "soul", "folk",
    "punk", "blues", "ambient", "Hip-Hop", "country", "funk",
)  # fmt: skip
# Tags of the Million Song Dataset that suit a style. Reggae is no tag of either data set: its
# nearest relatives there are soul and funk.
WISHED_TAGS: Mapping[str, tuple[str, ...]] = {
    "metal": ("metal",),
    "rock": ("rock",),
    "punk": ("punk",),
    "jazz": ("jazz",),
    "blues": ("blues",),
    "country": ("country",),
    "folk": ("folk",),
    "funk": ("funk",),
    "soul": ("soul",),
    "reggae": ("soul", "funk"),
}
# Which styles a tag should be heard in, and which may be heard so without harm.
_TAG_STYLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "rock": (("rock", "punk", "metal"), ("blues", "pop")),
    "metal": (("metal",), ("punk", "rock")),
    "punk": (("punk",), ("rock", "metal")),
    "jazz": (("jazz",), ("bossa nova", "blues", "lo-fi")),
    "blues": (("blues",), ("rock", "jazz", "soul", "country")),
    "country": (("country",), ("folk", "rock", "celtic")),
    "folk": (("folk", "celtic"), ("country",)),
    "funk": (("funk",), ("disco", "soul", "afrobeat")),
    "soul": (("soul",), ("funk", "blues", "reggae", "disco", "pop")),
    "ambient": (("ambient",), ("film", "lo-fi", "classical")),
    "Hip-Hop": (("hip-hop",), ("lo-fi", "funk", "reggae")),
    "House": (("house",), ("techno", "trance", "disco")),
    "electronic": (
        ("house", "techno", "trance", "drum and bass", "dubstep", "chiptune"),
        ("ambient", "hip-hop", "lo-fi", "disco", "film", "pop"),
    ),
    "dance": (("house", "techno", "trance", "disco"), ("drum and bass", "dubstep", "pop")),
    "classical": (("classical",), ("film",)),
    "techno": (("techno",), ("house", "trance", "drum and bass", "dubstep", "chiptune")),
}
_LISTENED_IN_MTT = ("classical", "techno")


@dataclass(frozen=True)
class HeardSong:
    """A song and what the networks hear in it."""

    style: str
    hearing: Hearing

    def logit(self, tag: str) -> float:
        """Logit of a tag of the Million Song Dataset."""
        return float(self.hearing.msd[MSD_TAGS.index(tag)])


def electronic_first(songs: Sequence[HeardSong]) -> float:
    """Share of band songs whose first tag is "electronic"."""
    firsts = [MSD_TAGS[int(np.argmax(s.hearing.msd))] for s in songs if s.style in BAND_STYLES]
    return float(np.mean([first == "electronic" for first in firsts]))


def contrast(songs: Sequence[HeardSong], style: str) -> float:
    """Mean logit of the tags wished for a style less that of the electronic ones."""
    wished = [
        np.mean([s.logit(tag) for tag in WISHED_TAGS[style]])
        - np.mean([s.logit(tag) for tag in ELECTRONIC_TAGS])
        for s in songs
        if s.style == style
    ]
    return float(np.mean(wished))


def genre_rank(songs: Sequence[HeardSong], style: str) -> int:
    """Rank, 1 the first, of a style's own tag among the genre tags, by mean logit."""
    levels = {tag: np.mean([s.logit(tag) for s in songs if s.style == style]) for tag in GENRE_TAGS}
    own = max(levels[tag] for tag in WISHED_TAGS[style])
    return 1 + sum(
        bool(level > own) for tag, level in levels.items() if tag not in WISHED_TAGS[style]
    )


def tag_auc(songs: Sequence[HeardSong], tag: str) -> float:
    """Probability that a song of a tag's styles has more of it than a song of other styles."""
    inside, neutral = _TAG_STYLES[tag]
    levels = np.array([_level(s, tag) for s in songs])
    is_inside = np.array([s.style in inside for s in songs])
    is_outside = np.array([s.style not in (*inside, *neutral) for s in songs])
    wins = levels[is_inside][:, None] - levels[is_outside][None]
    return float(np.mean((wins > 0) + 0.5 * (wins == 0)))


def _level(song: HeardSong, tag: str) -> float:
    if tag in _LISTENED_IN_MTT:
        return float(song.hearing.mtt[MTT_TAGS.index(tag)])
    return song.logit(tag)


def frechet_distance(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Frechet distance of two sets of embeddings, (songs, values) each.

    Kilgour et al., "Frechet Audio Distance: A Reference-Free Metric for Evaluating Music
    Enhancement Algorithms" (2019).
    """
    means = first.mean(0) - second.mean(0)
    left, right = np.cov(first.T), np.cov(second.T)
    eigenvalues = np.linalg.eigvals(left @ right).real.clip(0)
    return float(means @ means + np.trace(left + right) - 2 * np.sqrt(eigenvalues).sum())


def report_lines(songs: Sequence[HeardSong]) -> list[str]:
    """Tables as lines of Markdown."""
    band_count = sum(song.style in BAND_STYLES for song in songs)
    lines = [
        f'"electronic" is the first tag of {electronic_first(songs):.0%} of the {band_count} songs '
        "that a band or an orchestra would play.",
        "",
        "| style | own tag less electronic ones | rank of 16 genre tags | first tags |",
        "|---|---|---|---|",
    ]
    for style in sorted({s.style for s in songs} & WISHED_TAGS.keys()):
        firsts = np.mean([s.hearing.msd for s in songs if s.style == style], axis=0)
        names = ", ".join(MSD_TAGS[i] for i in np.argsort(-firsts)[:3])
        lines.append(
            f"| {style} | {contrast(songs, style):+.2f} | {genre_rank(songs, style)} | {names} |"
        )
    mean_contrast = np.mean([contrast(songs, s) for s in WISHED_TAGS])
    lines += [f"| mean | {mean_contrast:+.2f} | | |", "", "| tag | AUC |", "|---|---|"]
    areas = {tag: tag_auc(songs, tag) for tag in _TAG_STYLES}
    lines += [f"| {tag} | {area:.3f} |" for tag, area in areas.items()]
    return [*lines, f"| mean | {np.mean(list(areas.values())):.3f} |"]
