"""Light shows: built from the arrangement, in time, and never flashing dangerously."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.arranger.arrange import arrange
from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.jukebox.light_follower import LightFollower
from scripts.lights.build import build_light_show
from scripts.lights.fixtures import CHANNELS, Fixture, fill_universe, load_fixtures
from scripts.lights.show import (
    DARK,
    FLASH_INTERVAL,
    Light,
    LightMode,
    LightPlayback,
    LightScene,
    LightShow,
    limit_flashes,
)
from scripts.lights.show_file import format_show, load_show, show_path
from scripts.request.spec import SongSpec
from scripts.score.sheet import LeadSheet
from scripts.styles.moods import load_moods
from scripts.styles.style import load_styles

MOODS = load_moods(paths.DATA / "moods.toml")
BEATS = st.lists(st.tuples(st.floats(0, 60), st.floats(0, 1)), max_size=200)


def make_show(**changes: object) -> LightShow:
    scenes = (
        LightScene(0.0, 10.0, "verse", (255, 0, 0), (0, 0, 255), 0.4, 0.0),
        LightScene(10.0, 20.0, "chorus", (0, 255, 0), (0, 255, 0), 0.8, 1.0),
    )
    values = {
        "seconds": 30.0,
        "mood": "euphorie",
        "scenes": scenes,
        "beats": tuple((n * 0.5, 1.0) for n in range(60)),
        "accent": 0.5,
        "drift": 4.0,
    }
    return LightShow(**(values | changes))  # type: ignore[arg-type]


def built(spec: SongSpec, tune: LeadSheet) -> LightShow:
    return build_light_show(arrange(spec, tune, paths.DATA), MOODS)


def test_every_mood_has_a_style_of_its_own() -> None:
    styles = load_styles(paths.DATA / "styles")
    assert len({mood.style for mood in MOODS.values()}) == 12
    assert all(styles[mood.style].kind == "mood" for mood in MOODS.values())


@pytest.mark.parametrize("style", ["euphoric", "sad", "waltz", "techno"])
def test_scenes_cover_the_song_without_gap(
    spec: Callable[..., SongSpec], tune: LeadSheet, style: str
) -> None:
    song = spec(style, length="1")
    show = built(song, tune)
    ends = [scene.start + scene.seconds for scene in show.scenes]
    assert [scene.start for scene in show.scenes[1:]] == pytest.approx(ends[:-1], abs=0.002)
    assert ends[-1] == pytest.approx(song.length, abs=0.01)


def test_beats_lie_on_the_grid_of_the_tempo(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    show = built(spec("euphoric", length="1", tempo=128.0), tune)
    assert [at for at, _ in show.beats] == pytest.approx(
        [n * 60 / 128 for n in range(len(show.beats))], abs=0.001
    )


def test_drums_strike_the_beats_of_dance_music(
    spec: Callable[..., SongSpec], tune: LeadSheet
) -> None:
    show = built(spec("euphoric", length="1", energy="high"), tune)
    assert sum(strength > 0.5 for _, strength in show.beats) > len(show.beats) / 2


def test_louder_sections_are_brighter(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    show = built(spec("victorious", length="2"), tune)
    by_name = {scene.section: scene.intensity for scene in show.scenes}
    assert by_name["chorus"] > by_name["verse"]


def test_the_palette_is_that_of_the_mood(spec: Callable[..., SongSpec], tune: LeadSheet) -> None:
    red, _, blue = built(spec("angry"), tune).scenes[0].rgb
    assert red > 2 * blue
    red, _, blue = built(spec("relaxed"), tune).scenes[0].rgb
    assert blue > 2 * red


@given(BEATS)
def test_flashes_are_at_least_a_third_of_a_second_apart(beats: list[tuple[float, float]]) -> None:
    kept = limit_flashes(beats)
    assert set(kept) <= set(beats)
    gaps = [after - before for (before, _), (after, _) in pairwise(kept)]
    assert all(gap >= FLASH_INTERVAL - 1e-5 for gap in gaps)


@given(BEATS, st.sampled_from([LightMode.FULL, LightMode.CALM]))
def test_the_light_never_flashes_more_than_three_times_a_second(
    beats: list[tuple[float, float]], mode: LightMode
) -> None:
    playback = LightPlayback(make_show(beats=tuple(sorted(beats)), accent=1.0), mode)
    levels = [playback.at(n / 100).level for n in range(3000)]
    rises = [n for n in range(1, len(levels)) if levels[n] - levels[n - 1] > 0.1]
    assert all(rises[i + 3] - rises[i] >= 99 for i in range(len(rises) - 3))


def test_accents_at_the_join_of_a_loop_are_apart() -> None:
    beats = tuple((n * 0.316, 1.0) for n in range(41))
    show = make_show(beats=beats, accent=1.0, loop=True, seconds=41 * 0.316)
    times = LightPlayback(show, LightMode.FULL)._accent_times
    assert times[0] + show.seconds - times[-1] >= FLASH_INTERVAL - 1e-6


def test_a_stroke_brightens_the_light_at_once_and_fades() -> None:
    playback = LightPlayback(make_show(beats=((5.0, 1.0),)), LightMode.FULL)
    before, at, after = (playback.at(second).level for second in (4.99, 5.0, 5.4))
    assert at > before + 0.25
    assert before < after < before + 0.05


def test_calm_light_has_no_accents() -> None:
    calm = LightPlayback(make_show(), LightMode.CALM)
    levels = [calm.at(4 + n / 100).level for n in range(200)]
    assert max(levels) - min(levels) < 0.01


def test_without_lights_it_is_dark() -> None:
    assert LightPlayback(make_show(), LightMode.OFF).at(5.0) == DARK


def test_the_light_fades_with_the_last_chord_but_not_in_a_loop() -> None:
    assert LightPlayback(make_show(), LightMode.FULL).at(30.0).level == 0
    assert LightPlayback(make_show(loop=True), LightMode.FULL).at(30.0).level > 0.5


@given(st.floats(0, 100))
def test_light_is_always_a_color(seconds: float) -> None:
    light = LightPlayback(make_show(), LightMode.FULL).at(seconds)
    assert all(0 <= value <= 255 for value in light.rgb)
    assert 0 <= light.level <= 1


def test_a_show_is_read_as_it_was_written(tmp_path: Path) -> None:
    show_path(tmp_path / "a.mp3").write_text(format_show(make_show()), encoding="utf-8")
    assert load_show(tmp_path / "a.mp3") == make_show()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_a_damaged_show_counts_as_none(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scripts.lights.show_file.read_input", lambda path, limit: data)
        assert load_show(Path("a.mp3")) is None


@given(
    st.sampled_from(["seconds", "scenes", "beats", "accent", "drift"]),
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.lists(st.integers()),
)
def test_a_show_with_a_changed_field_is_valid_or_refused(field: str, value: object) -> None:
    content = msgspec.json.decode(format_show(make_show())) | {field: value}
    try:
        data = msgspec.json.encode(content)
    except (ValueError, OverflowError):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scripts.lights.show_file.read_input", lambda path, limit: data)
        show = load_show(Path("a.mp3"))
    if show is not None:
        assert 0 <= LightPlayback(show, LightMode.FULL).at(1.0).level <= 1


def test_songs_that_fade_into_each_other_mix_their_light(tmp_path: Path) -> None:
    red = (LightScene(0.0, 30.0, "", (255, 0, 0), (255, 0, 0), 1.0, 0.0),)
    blue = (LightScene(0.0, 30.0, "", (0, 0, 255), (0, 0, 255), 1.0, 0.0),)
    for name, scenes in (("a", red), ("b", blue)):
        text = format_show(make_show(scenes=scenes, beats=(), accent=0.0, loop=True))
        show_path(tmp_path / f"{name}.mp3").write_text(text, encoding="utf-8")
    follower = LightFollower(LightMode.FULL)
    a, b = tmp_path / "a.mp3", tmp_path / "b.mp3"
    assert follower.light([(a, 5.0, 1.0)]).rgb == (255, 0, 0)
    assert follower.light([(a, 5.0, 0.5), (b, 0.0, 0.5)]).rgb == (128, 0, 128)
    assert follower.light([(a, 5.0, 0.0), (b, 1.0, 1.0)]).rgb == (0, 0, 255)
    assert follower.light([]) == DARK


def test_songs_that_fade_into_each_other_have_no_accents(tmp_path: Path) -> None:
    for name in "ab":
        text = format_show(make_show(beats=((5.0, 1.0),), accent=1.0))
        show_path(tmp_path / f"{name}.mp3").write_text(text, encoding="utf-8")
    follower = LightFollower(LightMode.FULL)
    a, b = tmp_path / "a.mp3", tmp_path / "b.mp3"
    alone = follower.light([(a, 5.0, 1.0)]).level
    assert follower.light([(a, 5.0, 0.5), (b, 5.0, 0.5)]).level < alone - 0.2


def test_a_file_from_elsewhere_has_a_quiet_light(tmp_path: Path) -> None:
    follower = LightFollower(LightMode.FULL)
    levels = {follower.light([(tmp_path / "x.mp3", float(n), 1.0)]).level for n in range(50)}
    assert len(levels) == 1
    assert 0 < min(levels) < 0.5


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("rgb", (100, 50, 0)),
        ("rgbw", (100, 50, 0, 0)),
        ("drgb", (100, 255, 128, 0)),
        ("dimmer", (100,)),
    ],
)
def test_fixtures_have_the_channels_of_their_kind(kind: str, expected: tuple[int, ...]) -> None:
    light = Light((1.0, 0.5, 0.0), 100 / 255)
    assert Fixture(kind=kind).values(light) == expected  # type: ignore[arg-type]


def test_a_universe_has_each_fixture_at_its_channel() -> None:
    light = Light((1.0, 1.0, 1.0), 1.0)
    fixtures = (Fixture("rgb", channel=1), Fixture("dimmer", channel=CHANNELS))
    values = fill_universe(fixtures, lambda seconds: light)
    assert values == b"\xff\xff\xff" + bytes(508) + b"\xff"


def test_the_shipped_fixtures_can_be_read(tmp_path: Path) -> None:
    assert len(load_fixtures(paths.DATA / "lights.toml")) == 4
    (tmp_path / "lights.toml").write_text('[a]\nkind = "rgb"\nchannel = 511\n')
    with pytest.raises(UsageError, match="ends after 512"):
        load_fixtures(tmp_path / "lights.toml")
