"""The play queue: order, shuffle, repeat and changes of the library."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scripts.jukebox.queue import REPEAT_MODES, Queue
from scripts.library.songs import Song

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "next",
                "over",
                "previous",
                "add",
                "drop",
                "keep",
                "shuffle",
                "plain",
                "jump",
                *REPEAT_MODES,
            ]
        ),
        st.integers(0, 11),
    ),
    max_size=40,
)


def songs(count: int, start: int = 0) -> list[Song]:
    return [Song(Path(f"/s/{n}.mp3"), f"Song {n}", 60.0, {}) for n in range(start, start + count)]


def titles(found: list[Song]) -> list[str]:
    return [s.title for s in found]


def play(queue: Queue, count: int) -> list[str]:
    return titles([s for s in (queue.next() for _ in range(count)) if s])


@given(st.integers(1, 12), st.integers(1, 40))
def test_the_loop_visits_every_song_in_turn(count: int, steps: int) -> None:
    assert play(Queue(songs(count)), steps) == [f"Song {n % count}" for n in range(steps)]


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 99))
def test_shuffle_visits_every_song_once_a_round(count: int, rounds: int, seed: int) -> None:
    visited = play(Queue(songs(count), shuffle=True, seed=seed), count * rounds)
    for n in range(rounds):
        assert sorted(visited[n * count : (n + 1) * count]) == sorted(titles(songs(count)))
    if count > 1:
        assert all(one != two for one, two in pairwise(visited))


@given(st.integers(0, 9), st.booleans(), st.sampled_from(REPEAT_MODES), ACTIONS, st.integers(0, 99))
def test_the_songs_shown_as_upcoming_are_played_next(
    count: int, shuffle: bool, repeat: str, actions: list[tuple[str, int]], seed: int
) -> None:
    """After any sequence of actions."""
    queue = Queue(songs(count), repeat, shuffle, seed)
    for action, n in actions:
        apply_action(queue, action, n)
        assert -1 <= queue.index <= len(queue.play_order)
        paths = [s.path for s in queue.play_order]
        assert len(paths) == len({*paths})
    shown = titles(queue.upcoming(5))
    following = queue.peek_next()
    assert shown == play(queue, len(shown))
    assert len(shown) == 5 or queue.repeat == "off" or not queue._library
    assert following is None or queue.repeat == "one" or following.title == shown[0]


def apply_action(queue: Queue, action: str, n: int) -> None:
    """Apply an action of the user, or a change of the files on disk."""
    some = songs(12)[n]
    if action in REPEAT_MODES:
        queue.repeat = action
    else:
        {
            "next": queue.next,
            "over": lambda: queue.next(song_ended=True),
            "previous": queue.previous,
            "add": lambda: queue.add([some]),
            "drop": lambda: queue.drop(some),
            "keep": lambda: queue.remove_missing(s.path for s in songs(n)),
            "shuffle": lambda: queue.set_shuffle(True),
            "plain": lambda: queue.set_shuffle(False),
            "jump": lambda: (
                queue.jump_to(some) if some.path in {s.path for s in queue.play_order} else None
            ),
        }[action]()


def test_new_songs_are_added_without_changing_the_current_song() -> None:
    queue = Queue(songs(2))
    queue.next()
    queue.add(songs(4))
    assert queue.current
    assert queue.current.title == "Song 0"
    assert titles(queue.upcoming(3)) == ["Song 1", "Song 2", "Song 3"]


def test_new_songs_are_shuffled_into_the_current_round() -> None:
    queue = Queue(songs(5), shuffle=True, seed=1)
    queue.next()
    queue.add(songs(5, 5))
    assert {*titles(queue.play_order[queue.index :])} == {*titles(songs(10))}


def test_deleted_songs_leave_the_queue_except_the_current_one() -> None:
    queue = Queue(songs(5))
    play(queue, 3)
    queue.remove_missing([s.path for s in songs(5)[3:]])
    assert queue.current
    assert queue.current.title == "Song 2"
    assert play(queue, 4) == ["Song 3", "Song 4", "Song 3", "Song 4"]


def test_a_dropped_song_is_followed_by_the_next() -> None:
    queue = Queue(songs(4))
    play(queue, 2)
    queue.drop(songs(4)[1])
    queue.add(songs(4))  # its file still exists
    assert play(queue, 4) == ["Song 2", "Song 3", "Song 0", "Song 2"]


def test_one_song_is_repeated_until_the_user_skips_it() -> None:
    queue = Queue(songs(3), repeat="one")
    queue.next()
    assert [getattr(queue.next(song_ended=True), "title", "") for _ in range(3)] == ["Song 0"] * 3
    assert play(queue, 1) == ["Song 1"]


def test_without_repeat_the_queue_ends() -> None:
    queue = Queue(songs(2), repeat="off")
    assert play(queue, 5) == ["Song 0", "Song 1"]
    assert queue.current is None
    assert queue.upcoming() == []
    assert queue.peek_next() is None


def test_turning_shuffle_on_and_off_keeps_the_current_song() -> None:
    queue = Queue(songs(6), seed=3)
    play(queue, 3)
    queue.set_shuffle(True)
    assert queue.current
    assert queue.current.title == "Song 2"
    assert {*titles(queue.upcoming(5))} == {*titles(songs(6))} - {"Song 2"}
    queue.set_shuffle(False)
    assert titles(queue.upcoming(2)) == ["Song 3", "Song 4"]


def test_a_saved_play_order_is_restored_and_new_songs_are_appended() -> None:
    queue = Queue(songs(5))
    queue.restore([Path(f"/s/{n}.mp3") for n in (3, 9, 1, 3)], Path("/s/1.mp3"))
    assert queue.current
    assert queue.current.title == "Song 1"
    assert titles(queue.play_order) == ["Song 3", "Song 1", "Song 0", "Song 2", "Song 4"]
    queue.restore([], Path("/gone.mp3"))
    assert queue.current is None
    assert len(queue.play_order) == 5


def test_new_songs_are_played_next_in_their_order() -> None:
    made = songs(6)
    queue = Queue(made[:4])
    queue.next()
    queue.add(made[4:6])
    queue.put_next(made[4])
    queue.put_next(made[5])
    assert queue.upcoming(5) == [made[4], made[5], *made[1:4]]
    queue.next()
    queue.put_next(made[0])
    assert queue.upcoming(3) == [made[5], made[0], made[1]]
    assert len(queue.play_order) == 6


def test_the_current_song_stays_where_it_is() -> None:
    made = songs(6)
    queue = Queue(made[:4])
    queue.next()
    queue.put_next(made[0])
    assert queue.current == made[0]
    assert queue.play_order == made[:4]


def test_a_song_without_its_final_name_survives_shuffle_on_and_off() -> None:
    queue, live = Queue(songs(3)), Song(Path("/live/x.live"), "Live", 60.0, {})
    queue.jump_to(live)
    queue.set_shuffle(True)
    assert queue.current == live
    queue.set_shuffle(False)
    assert queue.current == live
    assert queue.next() in songs(3)


def test_songs_put_next_stay_until_they_are_played_and_come_first_in_later_rounds() -> None:
    made = songs(7)
    queue = Queue(made[:3])
    queue.next()
    for song in made[3:6]:
        queue.put_next(song)
    queue.remove_missing(s.path for s in made[:3])  # as when a playlist is chosen
    assert [queue.next() for _ in range(3)] == made[3:6]
    queue.put_next(made[6])
    assert queue.upcoming(1) == [made[6]]
