"""Whether a program that goes on makes the same again, or the next one: its loops tell."""

from collections.abc import Callable, Iterator
from typing import Any

from tf_repro.resume import places

Saved = dict[str, Any]


def run(program: Callable[[places.Ledger, Callable[[], None]], None]) -> list[Saved]:
    """Return what the ledger of a program keeps, each time that it saves."""
    ledger = places.Ledger()
    saved: list[Saved] = []
    program(ledger, lambda: saved.append(ledger.save()))
    return saved


def make(ledger: places.Ledger, value: str) -> None:
    name, _ = ledger.next(value)
    ledger.keep(name, value)


def kept(saved: Saved, value: str) -> "list[int] | None":
    """Return which of a kind were kept, or None where the next one is made."""
    (found,) = [entry for name, entry in saved.items() if name.startswith(f"{value}@")]
    return [int(number) for number in found[1]] if len(found) > 1 else None


def test_what_was_made_before_the_loop_is_made_again() -> None:
    def program(ledger: places.Ledger, save: Callable[[], None]) -> None:
        make(ledger, "before")
        for _ in range(3):
            save()

    assert [kept(saved, "before") for saved in run(program)] == [[0], [0], [0]]


def test_what_is_made_in_each_turn_is_made_anew() -> None:
    def program(ledger: places.Ledger, save: Callable[[], None]) -> None:
        for _ in range(3):
            make(ledger, "within")
            save()

    saved = run(program)
    assert [kept(one, "within") for one in saved] == [None] * 3
    assert [next(iter(one.values()))[0] for one in saved] == [1, 2, 3]


def test_what_an_epoch_has_made_is_made_again_in_its_middle_and_not_at_its_end() -> None:
    def program(ledger: places.Ledger, save: Callable[[], None]) -> None:
        for _ in range(2):
            make(ledger, "epoch")
            for _ in range(2):
                save()
            save()

    assert [kept(one, "epoch") for one in run(program)] == [[0], [0], None, [1], [1], None]


def test_what_the_end_of_an_epoch_makes_is_the_next_one_in_the_middle_of_the_next() -> None:
    def program(ledger: places.Ledger, save: Callable[[], None]) -> None:
        for epoch in range(2):
            for _ in range(1):
                if epoch:
                    save()
            make(ledger, "end")

    (saved,) = run(program)
    assert kept(saved, "end") is None


def test_a_loop_of_its_own_before_the_training_is_run_again() -> None:
    def program(ledger: places.Ledger, save: Callable[[], None]) -> None:
        for _ in range(3):
            make(ledger, "layer")
        for _ in range(1):
            save()

    assert [kept(saved, "layer") for saved in run(program)] == [[0, 1, 2]]


def test_functions_that_the_loop_calls_belong_to_it() -> None:
    def step(ledger: places.Ledger, save: Callable[[], None]) -> None:
        make(ledger, "called")
        save()

    def program(ledger: places.Ledger, save: Callable[[], None]) -> None:
        for _ in range(2):
            step(ledger, save)

    assert [kept(saved, "called") for saved in run(program)] == [None, None]


def test_a_program_that_is_started_again_goes_on_by_name() -> None:
    saved: Saved = {}
    found = []
    for _ in range(2):  # from one line, as the path to it is a part of the name
        ledger = places.Ledger()
        assert ledger.restore(saved) == {}
        name, value = ledger.next("kind")
        found.append((name, value))
        saved = {name.rpartition("#")[0]: [0, {"0": 7}]}
    assert found == [(found[0][0], None), (found[0][0], 7)]
    assert ledger.restore(saved) == {found[0][0]: 7}, "it is here by now"


class Data:
    """Takes down which turn of a loop it is gone through in."""

    def __init__(self) -> None:
        self.turns: list[int | None] = []

    def __iter__(self) -> Iterator[int]:
        self.turns.append(places.turn())
        return iter((1, 2))


def test_a_loop_is_counted_by_its_variable() -> None:
    data = Data()
    for _ in range(3, 5):
        list(data)
        for _one in data:
            pass
    assert data.turns == [3, 3, 4, 4]


def test_a_loop_of_enumerate_is_counted_too_and_one_without_a_number_is_not() -> None:
    data = Data()
    for _number, _letter in enumerate("ab"):
        list(data)
    for _letter in "ab":
        list(data)
    while len(data.turns) < 5:
        list(data)
    assert data.turns == [0, 1, None, None, None]


def test_the_body_of_a_loop_may_be_long() -> None:
    """Then the instructions of its head are of several parts."""
    data = Data()
    body = "".join(f"    x = {number}\n" for number in range(300))
    source = f"for turn in range(3, 5):\n    list(data)\n{body}"
    exec(compile(source, "train.py", "exec"), {"data": data})  # noqa: S102  # ours
    assert data.turns == [3, 4]


def test_outside_of_a_loop_there_is_no_turn() -> None:
    data = Data()
    list(data)
    assert data.turns == [None]
