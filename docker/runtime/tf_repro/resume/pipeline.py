"""What is known of one dataset: which iterators have begun on it, and how far the last one is.

A shuffle, and whatever else draws, takes new seeds for each iterator that begins on it. So the
place in a pipeline is how many iterators have begun on each such part of it, and how many elements
of the present one have been taken.
"""

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from tf_repro.resume import places

# Parts that draw seeds for each iterator that begins, and the attribute that says whether.
_DRAWING = {"_ShuffleDataset": "_reshuffle_each_iteration", "_RandomDataset": "_rerandomize"}
# Parts that make iterators of their own on what is before them, or keep its elements.
_REPEATING = ("_RepeatDataset", "RepeatDataset", "CacheDataset", "_CacheDataset")

# Where the datasets of a strategy keep those of its workers.
_OF_WORKERS = ("_cloned_datasets", "_datasets")

_pipelines: "weakref.WeakKeyDictionary[Any, Pipeline]" = weakref.WeakKeyDictionary()
by_name: "weakref.WeakValueDictionary[str, Pipeline]" = weakref.WeakValueDictionary()


class Pipeline:
    """What is known of one dataset.

    Attributes:
        name: of its place in the script.
        dataset: itself, held weakly.
        begun: iterators that have begun on it, or on a dataset that it feeds.
        own: iterators that have begun on it itself.
        finished: elements that each of `own` but the last has given, if that matters.
        iterator: the last of `own`, held weakly.
        taken: elements that it has given.
        place: where it was made.
        turn: of the loop around that, by the number that counts it.
        moved_on: whether it goes on where one of an earlier turn was. Should that have been at its
            end, the loop has come to the next pass over the data.
        over: whether it has given all.
        create: what begins an iterator, which it is given with the dataset.
        width: elements that the iterator takes for each that it gives: one a replica.
        restored: whether the script has restored it itself, from its checkpoint.
        skips: whether the iterator was begun behind elements that were used.
        began: the state of what its Python functions draw from, as the iterator began.
        repeats: whether a part that draws is before one that repeats it.
        driver: what knows better how far the iterator is, if it is not the script itself.
        to_come: what `saved` returned, to be gone on with.
    """

    def __init__(self, name: str, dataset: Any) -> None:
        self.name, self.dataset = name, weakref.ref(dataset)
        self.begun = self.own = self.taken = 0
        self.finished: list[int] = []
        self.iterator: Any = lambda: None
        self.place = places.Place("", ())
        self.over = self.moved_on = False
        self.turn: int | None = None
        self.driver: Callable[[], tuple[int, bool]] | None = None
        self.to_come: dict[str, Any] | None = None
        self._drawing: list[Pipeline] | None = None
        self.repeats = False
        self.began: Any = None
        self.restored = self.skips = False
        self.create: Callable[[Any, Any], None] | None = None
        self.width = 1

    def drawing(self) -> "list[Pipeline]":
        """Return what draws seeds when an iterator begins on it, nearest first."""
        if self._drawing is None:
            self._drawing = []
            seen: set[int] = set()
            self._look(self.dataset(), seen, kept=False)
        return self._drawing

    def _look(self, dataset: Any, seen: set[int], *, kept: bool) -> None:
        assert self._drawing is not None
        if id(dataset) in seen:
            return
        seen.add(id(dataset))
        kind = type(dataset).__name__
        kept = kept or kind in _REPEATING
        if getattr(dataset, _DRAWING.get(kind, ""), False) and dataset in _pipelines:
            self._drawing.append(_pipelines[dataset])
            self.repeats = self.repeats or kept
        for before in dataset._inputs():
            self._look(before, seen, kept=kept)

    def leave(self) -> None:
        """Take down how far the iterator is from what knows it better, and let go of that."""
        if self.driver is not None:
            self.taken, self.over = self.driver()
            self.driver = None

    def given(self) -> int:
        """Return how many elements its last iterator has given."""
        return self.taken if self.driver is None else self.driver()[0]

    def saved(self, now: Any) -> "dict[str, Any] | None":
        """Return where it is, in a few words; None if nothing has begun."""
        if self.to_come is not None:
            return self.to_come
        if not self.begun:
            return None
        state: dict[str, Any] = {"begun": self.begun, "own": self.own}
        taken, over = (self.taken, self.over) if self.driver is None else self.driver()
        over = over or (self.driver is None and places.is_over(self.place, now))
        if self.own and self.iterator() is not None and not over:
            state["taken"] = taken
            state["turn"] = self.turn
            if self.began is not None:
                state["began"] = self.began
        if self.repeats:
            state["finished"] = packed([*self.finished, taken])
        return state


def packed(numbers: list[int]) -> list[list[int]]:
    """Return the runs of equal numbers, as pairs of number and length.

    >>> packed([10, 10, 4])
    [[10, 2], [4, 1]]
    """
    return [[number, len(list(run))] for number, run in itertools.groupby(numbers)]


def follow(name: str, dataset: Any) -> Pipeline:
    """Follow a dataset, which was just made, by the name of its place."""
    made = _pipelines[dataset] = by_name[name] = Pipeline(name, dataset)
    return made


def itself(dataset: Any) -> Any:
    """Return the dataset that is iterated: a strategy's has one for each worker."""
    for name in _OF_WORKERS:
        datasets: Sequence[Any] = getattr(dataset, name, ())
        if len(datasets) == 1:
            return datasets[0]
    return dataset


def of(dataset: Any) -> "Pipeline | None":
    """Return what is known of a dataset, if it was made where it can be followed."""
    try:
        return _pipelines.get(itself(dataset))
    except TypeError:
        return None
