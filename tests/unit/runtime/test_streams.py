"""Streams: stable across releases, without collisions, and independent of one another."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_repro import seed_for, streams

SEEDS = st.integers(0, 2**32 - 1)
# Never edit these: published results depend on them. A new derivation is a new VERSION.
GOLDEN = {
    (42, ":random.Random#0", 64): 6468595992485472268,
    (42, ":numpy.entropy#0", 128): 243167185022312691600997362044704548177,
    (42, "/fork1:numpy", 32): 701628875,
    (0, "", 1): 1,
    (4294967295, "/fork1/task2:x#3", 33): 1265641863,
}


@pytest.fixture(autouse=True)
def fresh_state() -> Iterator[None]:
    before = streams.state
    streams.state = streams.State(42)
    yield
    streams.state = before


@pytest.mark.parametrize(("asked", "number"), GOLDEN.items())
def test_is_stable_across_releases(asked: tuple[int, str, int], number: int) -> None:
    assert streams.derive(*asked) == number


@pytest.mark.parametrize(
    ("names", "seed"),
    [
        (("trial", 3), 3385590325),
        (("trial", 3, "fold", 1), 588893782),
        ((3,), 696330153),
        (("3",), 256996943),
        (("é",), 3897401355),
    ],
)
def test_a_named_seed_is_stable_and_follows_the_base_seed(
    names: tuple[str | int, ...], seed: int
) -> None:
    streams.enter_process("/fork1")
    assert seed_for(*names) == seed
    streams.supply("random.Random", 64)
    assert seed_for(*names) == seed
    streams.start_over(43)
    assert seed_for(*names) != seed


@given(st.sets(st.lists(st.one_of(st.text(), st.integers()), min_size=1).map(tuple), max_size=30))
def test_named_seeds_do_not_repeat_each_other(names: set[tuple[str | int, ...]]) -> None:
    assert len({seed_for(*each) for each in names}) == len(names)


@pytest.mark.parametrize(("names", "said"), [((), "at least one name"), ((1.5,), "float")])
def test_what_is_no_name_is_refused(names: tuple[Any, ...], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        seed_for(*names)


@given(st.sets(st.tuples(SEEDS, st.text()), min_size=2, max_size=50))
def test_distinct_names_and_seeds_never_collide(asked: set[tuple[int, str]]) -> None:
    assert len({streams.derive(seed, name, 128) for seed, name in asked}) == len(asked)


@given(SEEDS, st.text(), st.integers(1, 20000))
def test_fits_its_bits(seed: int, name: str, bits: int) -> None:
    assert 0 <= streams.derive(seed, name, bits) < 2**bits


@given(SEEDS)
def test_uses_all_its_bits(seed: int) -> None:
    union = 0
    for n in range(64):
        union |= streams.derive(seed, str(n), 33)
    assert union == 2**33 - 1


@given(st.permutations(["a"] * 3 + ["b"] * 3 + ["c"] * 3))
def test_a_kind_does_not_see_the_order_of_the_others(order: list[str]) -> None:
    streams.start_over(42)
    drawn: dict[str, list[int]] = {}
    for kind in order:
        drawn.setdefault(kind, []).append(streams.supply(kind, 64))
    expected = {k: [streams.derive(42, f":{k}#{n}", 64) for n in range(3)] for k in "abc"}
    assert drawn == expected


def test_forks_tasks_and_their_children_are_all_distinct() -> None:
    drawn = [streams.supply("k", 64)]
    for path in ("/fork1", "/fork2", "/fork1/fork1", "/process1"):
        streams.enter_process(path)
        drawn.append(streams.supply("k", 64))
        drawn.append(streams.global_seed("k"))
    assert len(set(drawn)) == len(drawn)


def test_child_paths_count_up_in_each_scope() -> None:
    assert [streams.child_path("fork") for _ in range(2)] == ["/fork1", "/fork2"]
    before = streams.enter_task("/t")
    assert streams.child_path("fork") == "/t/fork1"
    streams.leave_task(before)
    assert streams.child_path("fork") == "/fork3"


def test_a_task_belongs_to_its_thread() -> None:
    streams.enter_task("/t")
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(streams.scope().path))
    thread.start()
    thread.join()
    streams.leave_task(None)
    assert seen == [""]


def test_the_first_process_has_the_seed_itself() -> None:
    assert streams.global_seed("random") == 42
    streams.enter_process("/fork1")
    assert streams.global_seed("random") != streams.global_seed("numpy") != 42


def test_follows_what_the_script_seeded_itself() -> None:
    first = streams.supply("k", 64)
    streams.start_over(42)
    streams.note_own_seed("numpy", 7)
    second = streams.supply("k", 64)
    streams.start_over(42)
    streams.note_own_seed("numpy", 8)
    assert len({first, second, streams.supply("k", 64)}) == 3


def test_tells_the_observer_what_it_gave() -> None:
    seen: list[tuple[str, str]] = []
    streams.state.observer = lambda kind, name: seen.append((kind, name))
    streams.supply("k", 8)
    streams.supply("k", 8)
    assert seen == [("k", ":k#0"), ("k", ":k#1")]


def test_observers_see_streams_and_own_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    state = streams.State(42)
    monkeypatch.setattr(streams, "state", state)
    seen: list[tuple[str, object]] = []
    state.observer = lambda kind, name: seen.append((kind, name))
    state.own_seed_observer = lambda library, seed: seen.append((library, seed))
    streams.supply("random.Random", 32)
    streams.note_own_seed("numpy", 7)
    assert seen == [("random.Random", ":random.Random#0"), ("numpy", 7)]
