"""Composes lead sheets: a language model writes several under a grammar, the critic picks one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.composer.critic import cost
from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.progressions import load_progressions, plan_chords
from scripts.composer.prompts import build_abc_header, build_starter_header, describe_spec
from scripts.composer.rhythm import (
    RhythmPlan,
    RhythmTable,
    find_table,
    load_rhythms,
    plan_rhythm,
)
from scripts.composer.riffs import (
    best_riff,
    build_riff_spec,
    has_riff,
    riff_chords,
    riff_rhythm,
)
from scripts.composer.training_filter import TrainingFilter
from scripts.composer.writer import Writer, choose_title_and_form
from scripts.llm.chat import TUNE_HEADER_FORMAT, TUNE_HEADER_KEY, Prompt, load_model_profile
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import TINY
from scripts.llm.gguf_file import GgufInfo
from scripts.llm.guidance import Guidance
from scripts.llm.questions import Questions
from scripts.llm.sheet_machine import SheetGrammar
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.chords import Chord
from scripts.score.motif import with_motif
from scripts.score.sheet import Bar, LeadSheet, split_into_parts

ACCEPTABLE_COST = 1.0
MAX_ROUNDS = 3
_RIFFS = 4  # candidates for a riff
_OTHER_RHYTHMS = ("standard", "lied")  # where a style's own table lacks the meter

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Composition:
    """A composed lead sheet with its provenance.

    Parameters
    ----------
    sheet : LeadSheet
    model : str
        Name of the model that wrote the sheet.
    tries : int
        Candidate sheets written; this is the best of each chapter.
    cost : float
        The critic's cost (see :func:`cost`); 0 is best. The worst chapter counts.
    tokens : int
        Tokens decoded for all candidates.
    seconds : float
        Decoding time.
    words_by : str
        Source of title and form: a model's name, or ``rules``.
    form : tuple of str
        Section names in order.
    riff : LeadSheet, optional
        Two bars that the band repeats, in styles with a riff.
    bits : float
        Bits per character that the guide needs for the sheets; 0 without a guide.
    narration : str
        Shown over the light; empty where no feeling was said.
    """

    sheet: LeadSheet
    model: str
    tries: int
    cost: float
    tokens: int
    seconds: float
    words_by: str
    form: tuple[str, ...]
    riff: LeadSheet | None = None
    bits: float = 0.0
    narration: str = ""


@dataclass(frozen=True)
class _ChapterResult:
    """The best sheet of a chapter and the cost of writing it."""

    sheet: LeadSheet
    tries: int
    cost: float
    tokens: int
    seconds: float
    bits: float


class Composer:
    """Composes songs with one loaded model.

    Parameters
    ----------
    model : ModelProcess
    info : GgufInfo
        Header of the model's file.
    data : Path
        The ``data`` folder with prompts, titles, progressions and the model table.
    writer : Writer, optional
        Another model that writes title and form. By default the composing model does if
        ``models.toml`` gives it the role ``writer``; otherwise rules do.
    guide : float, optional
        Weight of the model's guide; without one, it has none.
    """

    def __init__(
        self,
        model: ModelProcess,
        info: GgufInfo,
        data: Path,
        writer: Writer | None = None,
        guide: float | None = None,
    ) -> None:
        self.model, self.info, self.data = model, info, data
        self.guide = guide
        self.profile = load_model_profile(data / "models.toml", info.path.name)
        self.questions = Questions(model, self.profile, data / "prompts")
        self.training_filter = TrainingFilter.load_beside(model.guide or info.path)
        self.progressions = load_progressions(data / "progressions.toml")
        self.rhythms = load_rhythms(data / "rhythms.toml")
        self.uses_tune_header = info.metadata.get(TUNE_HEADER_KEY) == TUNE_HEADER_FORMAT
        if writer is None and not self.uses_tune_header and "writer" in self.profile.roles:
            writer = Writer(info.name, self.questions)
        self.writer = writer

    def compose(self, spec: SongSpec, temperature: float, progress: Progress) -> Composition:
        """Compose a title, a form and a lead sheet.

        A long song has several chapters; their sheets are joined into one.

        Parameters
        ----------
        spec : SongSpec
        temperature : float
            Sampling temperature.
        progress : callable
            Called with the fraction done, 0 to 1, and the latest ABC text.
        """
        written = []
        count = spec.chapter_count
        for chapter in range(count):

            def report(done: float, text: str, chapter: int = chapter) -> None:
                progress((chapter + done) / count, text)

            written.append(self._compose_best_sheet(spec, chapter, temperature, report))
        title, form, by = choose_title_and_form(
            spec, self.writer, temperature, spec.form_requested, self.data
        )
        first = with_motif(written[0].sheet, spec.motif)
        parts = (*first.parts, *(part for w in written[1:] for part in w.sheet.parts))
        sheet = replace(
            first,
            parts=parts,
            key=spec.key,
            tempo=spec.tempo,
            title=title,
            styles=tuple(spec.styles),
            origin=self.info.name,
        )
        return Composition(
            sheet,
            self.info.name,
            sum(w.tries for w in written),
            max(w.cost for w in written),
            sum(w.tokens for w in written),
            sum(w.seconds for w in written),
            by,
            form,
            self._compose_riff(spec, temperature),
            sum(w.bits for w in written) / len(written),
        )

    def _compose_riff(self, spec: SongSpec, temperature: float) -> LeadSheet | None:
        """Write the riff of a style that has one, if there are rhythms for its meter."""
        table = self._find_rhythms(spec)
        if table is None or not has_riff(spec.style):
            return None
        riff_spec = build_riff_spec(spec)
        grammar = build_sheet_grammar(riff_spec, riff_chords(spec), riff_rhythm(table, spec))
        reply = self.model.write_sheet(
            self.build_sheet_prompt(riff_spec),
            grammar,
            self.profile.sheet_sampling(temperature, spec.seed),
            min(_RIFFS, self.model.plan.candidates),
            lambda done, text: None,
            self.guidance(riff_spec),
        )
        header = build_abc_header(riff_spec)
        return best_riff([read_abc(header + text) for text in reply.texts], table)

    def _compose_best_sheet(
        self, spec: SongSpec, chapter: int, temperature: float, progress: Progress
    ) -> _ChapterResult:
        """Write candidates for one chapter and return the one with the lowest cost."""
        prompt = self.build_sheet_prompt(spec)
        count = self.model.plan.candidates
        seed = spec.seed * 1_000_003 + 7_368_787 * chapter
        best: LeadSheet | None = None
        best_cost, best_bits, tokens, seconds, tries = 0.0, 0.0, 0, 0.0, 0
        for attempt in range(MAX_ROUNDS):
            plan = (
                ()
                if "harmonist" in self.profile.roles
                else _share_changes(
                    plan_chords(spec, self.progressions, MAX_ROUNDS * chapter + attempt), spec
                )
            )
            grammar = build_sheet_grammar(spec, plan, self._plan_rhythm(spec, seed + attempt))
            sampling = self.profile.sheet_sampling(
                temperature, (seed + 104_729 * attempt) % (1 << 62)
            )
            rounds = 1 if self.info.parameters < TINY else MAX_ROUNDS  # that usually are needed

            def report(
                done: float, text: str, attempt: int = attempt, rounds: int = rounds
            ) -> None:
                progress(min(1.0, (attempt + done) / rounds), text)

            judged: dict[int, tuple[float, LeadSheet]] = {}

            def judge(
                n: int,
                text: str,
                grammar: SheetGrammar = grammar,
                judged: dict[int, tuple[float, LeadSheet]] = judged,
            ) -> None:
                sheet = fix_ties(read_abc(build_abc_header(spec) + text))
                judged[n] = self._judge(sheet, spec, grammar), sheet

            reply = self.model.write_sheet(
                prompt, grammar, sampling, count, report, self.guidance(spec), judge
            )
            tokens, seconds = tokens + reply.tokens, seconds + reply.seconds
            tries += len(judged)
            n, (sheet_cost, sheet) = min(judged.items(), key=lambda item: (item[1][0], item[0]))
            if best is None or sheet_cost < best_cost:
                best, best_cost = sheet, sheet_cost
                best_bits = reply.bits[n] if reply.bits else 0.0
            # A large model is too slow to write more candidates only to lower the cost.
            if best_cost <= ACCEPTABLE_COST or count == 1:
                break
        assert best is not None
        return _ChapterResult(best, tries, best_cost, tokens, seconds, best_bits)

    def _judge(self, sheet: LeadSheet, spec: SongSpec, grammar: SheetGrammar) -> float:
        """Compute the critic's cost of what is the model's own in a sheet."""
        rules = spec.style.melody
        return cost(
            sheet,
            rules.density if self.uses_tune_header and not grammar.rhythm else None,
            0 if grammar.bar_chords else rules.harmony,
            self.training_filter,
            has_planned_rhythm=bool(grammar.rhythm),
        )

    def _plan_rhythm(self, spec: SongSpec, seed: int) -> RhythmPlan:
        """Plan the rhythm of a sheet if the style has a table of rhythms for its meter."""
        table = self._find_rhythms(spec)
        if table is None or spec.motif:
            return ()
        density = spec.style.melody.density / 2
        return plan_rhythm(spec.parts, table, f"{spec.style.name} {seed}", density)

    def _find_rhythms(self, spec: SongSpec) -> RhythmTable | None:
        name = spec.style.melody.rhythm
        return find_table(self.rhythms, (name, *_OTHER_RHYTHMS), str(spec.meter)) if name else None

    def build_sheet_prompt(self, spec: SongSpec) -> Prompt:
        """Build the prompt that the model continues with a sheet."""
        if self.uses_tune_header:
            return Prompt(build_starter_header(spec), special=False, bos=True)
        return self.questions.ask("compose", describe_spec(spec), build_abc_header(spec))

    def guidance(self, spec: SongSpec) -> Guidance | None:
        """Build the guide's part in writing a sheet of `spec`; None without a guide."""
        return None if self.guide is None else Guidance(build_starter_header(spec), self.guide)


def _share_changes(plan: tuple[Chord, ...], spec: SongSpec) -> tuple[Chord, ...]:
    """Let a third part that is only for solos have the chords of the first, up to its last bar."""
    is_solo = len(spec.parts) == 3 and "solo" in spec.form and "bridge" not in spec.form
    if not plan or not is_solo or spec.parts[2] != spec.parts[0]:
        return plan
    return (*plan[: -spec.parts[2]], *plan[: spec.parts[0] - 1], plan[-1])


def fix_ties(sheet: LeadSheet) -> LeadSheet:
    """Return `sheet` without ties across a bar line to a different pitch or a rest."""
    bars = list(sheet.bars)
    for i, bar in enumerate(bars):
        last = bar.notes[-1]
        if not last.tied:
            continue
        following = bars[i + 1].notes[0].pitch if i + 1 < len(bars) else None
        if last.pitch is None or following != last.pitch:
            bars[i] = Bar((*bar.notes[:-1], replace(last, tied=False)), bar.chords)
    return replace(sheet, parts=split_into_parts(bars, map(len, sheet.parts)))
