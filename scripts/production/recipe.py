"""Recipe of a song: everything needed to render the same files again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.composer.compose import Composition
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.piece import Piece
from scripts.styles.style import Style


@dataclass(frozen=True)
class Recipe:
    """Request for a song, with the composition or imported file that answers it.

    Parameters
    ----------
    request : SongRequest
    seed : int
        0 to 2**63 - 1.
    temperature : float
        0 to 4.
    composition : Composition, optional
        Composition by the model; None for imported music.
    file : Path, optional
        Imported file.
    notes : bytes
        Contents of that file, so that the song can be rendered again without it; empty if it is
        too large to store.
    order : str
        Id of the order that the song belongs to; may be empty.
    number : int
        Number of the song in the order, from 1.
    """

    request: SongRequest
    seed: int
    temperature: float
    composition: Composition | None = None
    file: Path | None = None
    order: str = ""
    number: int = 1
    notes: bytes = b""

    def load_piece(self) -> Piece:
        """Read the imported piece, from the stored notes or from the file.

        Raises
        ------
        MusicGenError
            When it cannot be read.
        """
        from scripts.score.open_piece import open_piece, parse_piece

        assert self.file
        return parse_piece(self.notes, self.file.name) if self.notes else open_piece(self.file)

    def build_spec(self, styles: Mapping[str, Style]) -> SongSpec:
        """Build the song's specification, with the form that the model chose.

        Raises
        ------
        UsageError
            When a style of the recipe is not in `styles`.
        """
        if self.composition is None:
            return build_spec(self.request, styles, self.seed)
        spec = build_spec(self.request, styles, self.seed, self.composition.sheet.meter)
        return replace(spec, form=self.composition.form)
