"""Instruments that are asked for play, and what is excluded does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.arranger.arrange import arrange
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.request.instrument_names import load_orchestration, parse_excluded, parse_instruments
from scripts.request.orchestrate import orchestrate
from scripts.request.spec import SongSpec
from scripts.score.sheet import LeadSheet
from scripts.styles.style import ROLES, Style, load_styles
from scripts.synth.instruments import load_instruments

STYLES = load_styles(paths.DATA / "styles")
Spec = Callable[..., SongSpec]


def sounds(spec: SongSpec) -> dict[str, str]:
    """Instrument of each role."""
    return {role: track.instrument for role, track in spec.style.tracks.items()}


def test_one_instrument_plays_the_lead_and_the_style_the_rest(spec: Spec) -> None:
    plain, asked = sounds(spec("jazz")), sounds(spec("jazz", instruments="flute"))
    assert asked == {**plain, "melody": "flute"}


def test_the_first_instrument_leads_and_the_others_accompany(spec: Spec) -> None:
    found = sounds(spec("pop", instruments="violin, piano, cello"))
    assert (found["melody"], found["chords"], found["bass"]) == ("violin", "piano", "cello")
    assert "pad" not in found
    assert "drums" in found


def test_the_style_chooses_among_instruments_of_one_name(spec: Spec) -> None:
    found = sounds(spec("metal", instruments="guitar, flute"))
    assert (found["melody"], found["chords"]) == ("lead guitar", "driven guitar")
    assert sounds(spec("folk", instruments="guitar"))["melody"] == "acoustic guitar"


def test_a_piano_alone_plays_tune_chords_and_bass(spec: Spec) -> None:
    assert sounds(spec("techno", instruments="only piano")) == {
        "melody": "piano",
        "chords": "piano",
        "bass": "piano",
    }


def test_a_violin_alone_plays_the_tune(spec: Spec) -> None:
    assert sounds(spec("house", instruments="only violin")) == {"melody": "violin"}


def test_an_ensemble_replaces_all_tracks(spec: Spec) -> None:
    found = sounds(spec("techno", instruments="string quartet"))
    assert set(found.values()) == {"violin", "fast strings", "cello"}
    assert "drums" not in found


def test_a_soloist_named_before_an_ensemble_leads_it(spec: Spec) -> None:
    assert sounds(spec("swing", instruments="clarinet, big band"))["melody"] == "clarinet"
    assert sounds(spec("film", instruments="orchestra, choir"))["pad"] == "choir"


@pytest.mark.parametrize("name", load_orchestration().instruments)
def test_an_excluded_instrument_never_plays(styles: dict[str, Style], name: str) -> None:
    asked = load_orchestration().instruments[name]
    banned = set() if asked.stand_in else set(asked.sounds)
    for style in styles.values():
        found, _ = orchestrate(style, (), False, (name,))
        assert not banned & {track.instrument for track in found.tracks.values()}


def test_an_instrument_without_sounds_of_its_own_is_said_to_be_replaced(
    styles: dict[str, Style],
) -> None:
    style, warnings = orchestrate(styles["folk"], ("mandolin",), False, ())
    assert style.tracks["melody"].instrument == "ukulele"
    assert warnings == ("mandolin: played by the ukulele",)
    kept, _ = orchestrate(styles["baroque"], (), False, ("viola",))
    assert kept.tracks == styles["baroque"].tracks


def test_percussion_can_play_alone(spec: Spec) -> None:
    assert set(spec("samba", instruments="only percussion").style.tracks) == {"percussion"}


@pytest.mark.parametrize("role", ["drums", "bass", "melody", "chords", "pad", "percussion"])
def test_an_excluded_role_is_left_out(spec: Spec, role: str) -> None:
    found = spec("salsa", without=role).style.tracks
    assert role not in found
    assert not (role == "drums" and "percussion" in found)


@given(
    names=st.lists(st.sampled_from([*load_orchestration().instruments]), max_size=7, unique=True),
    ensemble=st.lists(st.sampled_from([*load_orchestration().ensembles]), max_size=2, unique=True),
    excluded=st.lists(
        st.sampled_from([*load_orchestration().instruments, *ROLES]), max_size=4, unique=True
    ),
    alone=st.booleans(),
    style_name=st.sampled_from(["jazz", "techno", "sad", "meditation", "celtic", "chiptune"]),
)
def test_any_combination_has_tracks_that_can_be_played_or_is_rejected(
    names: list[str],
    ensemble: list[str],
    excluded: list[str],
    alone: bool,
    style_name: str,
) -> None:
    instruments = load_instruments(paths.DATA / "instruments")
    try:
        found, warnings = orchestrate(
            STYLES[style_name], [*names, *ensemble], alone and bool(names), excluded
        )
    except UsageError as error:
        assert "\n" not in str(error)
        return
    assert found.tracks
    for role, track in found.tracks.items():
        assert role in ROLES
        assert track.instrument in instruments
    tables = load_orchestration()
    playing = {track.instrument for track in found.tracks.values()}
    for name in names:
        asked = tables.instruments[name]
        own = {*asked.sounds, asked.chord_sound, asked.bass}
        is_told = any(name in warning for warning in warnings)
        is_shared = any(
            own & {*tables.instruments[n].sounds} for n in excluded if n in tables.instruments
        )
        is_role_excluded = bool({*ROLES} & {*excluded})
        assert own & playing or is_told or is_shared or is_role_excluded


def test_an_instrument_that_is_asked_for_and_excluded_is_rejected(spec: Spec) -> None:
    with pytest.raises(UsageError, match="piano is both"):
        spec("jazz", instruments="piano", without="piano")


@pytest.mark.parametrize("text", ["kazoo", "piano, kazoo", "only kazoo"])
def test_an_unknown_instrument_is_rejected(text: str) -> None:
    with pytest.raises(UsageError, match='unknown instrument "kazoo"'):
        parse_instruments(text)


def test_names_may_be_plural_and_in_capitals() -> None:
    assert parse_instruments("Violins, FLUTE") == (("violin", "flute"), False)
    assert parse_instruments("solo piano") == (("piano",), True)
    assert parse_excluded("Drums; guitars") == ("drums", "guitar")


def test_a_melody_alone_sounds_from_the_first_bar(spec: Spec, tune: LeadSheet) -> None:
    song = arrange(spec("rock", instruments="only violin", length="1"), tune, paths.DATA)
    assert all(section.tracks.get("melody") for section in song.sections())


def test_a_low_instrument_leads_in_its_own_range(spec: Spec, tune: LeadSheet) -> None:
    def pitches(name: str) -> list[int]:
        song = arrange(spec("rock", instruments=name, length="1"), tune, paths.DATA)
        return [e.pitch for s in song.sections() for e in s.tracks.get("melody", ())]

    assert max(pitches("cello")) == max(pitches("violin")) - 12


def test_every_pattern_and_instrument_of_the_table_exists() -> None:
    instruments, tables = load_instruments(paths.DATA / "instruments"), load_orchestration()
    for asked in tables.instruments.values():
        for name in (*asked.sounds, asked.chord_sound, *[asked.bass] * bool(asked.bass)):
            assert name in instruments
    for tracks in tables.ensembles.values():
        assert all(name in instruments or name == "style" for name in tracks.values())


def test_energy_moves_every_section(spec: Spec, tune: LeadSheet) -> None:
    levels = {
        energy: [s.energy for s in arrange(spec("rock", energy=energy), tune, paths.DATA).form]
        for energy in (None, "low", "high")
    }
    assert all(a < b for a, b in zip(levels["low"], levels[None], strict=True))
    assert all(a > b or a == 1 for a, b in zip(levels["high"], levels[None], strict=True))


def test_a_word_for_the_tempo_suits_the_style(spec: Spec) -> None:
    assert 60 <= spec("sad, waltz", pace="slow").tempo <= 80
    assert 132 <= spec("waltz", pace="fast").tempo <= 168
    assert 85 <= spec("techno", pace="slow").tempo <= 110
    assert spec("drum and bass", pace="fast").tempo > 176
    assert 115 <= spec("swing", pace="medium").tempo <= 135
    assert 82 <= spec("dub", pace="medium").tempo <= 91
    assert 120 <= spec("ambient", pace="allegro").tempo <= 152


def test_a_scale_without_a_tonic_is_kept(spec: Spec) -> None:
    keys = {str(spec("pop", key="dorian", seed=n).key) for n in range(30)}
    assert len(keys) > 5
    assert all(key.endswith("dorian") for key in keys)


def test_recipes_keep_the_meter_of_their_sheet(spec: Spec, tune: LeadSheet) -> None:
    from scripts.composer.compose import Composition
    from scripts.production.recipe import Recipe
    from scripts.request.request import SongRequest

    composition = Composition(tune, "Model", 3, 0.5, 100, 1.5, "rules", ("verse", "chorus"))
    recipe = Recipe(SongRequest("sad, waltz"), 7, 0.75, composition)
    assert recipe.build_spec(STYLES).meter == tune.meter
