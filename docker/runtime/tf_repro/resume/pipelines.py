"""tf.data: which iterators have begun on which datasets, and how far they are.

A shuffle, and whatever else draws, takes new seeds for each iterator that begins on it. So the
place in a pipeline is how many iterators have begun on each such part of it, and how many elements
of the present one have been taken. The script's own saving of an iterator, where there is one, is
TensorFlow's affair; what is here only follows.
"""

import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.resume import places, replay

# Parts that draw seeds for each iterator that begins, and the attribute that says whether.
_DRAWING = {"_ShuffleDataset": "_reshuffle_each_iteration", "_RandomDataset": "_rerandomize"}
# Parts that make iterators of their own on what is before them, or keep its elements.
_REPEATING = ("_RepeatDataset", "RepeatDataset", "CacheDataset", "_CacheDataset")

_ledger = places.Ledger()
_seeds = places.Ledger()
_pipelines: "weakref.WeakKeyDictionary[Any, Pipeline]" = weakref.WeakKeyDictionary()
_by_name: "weakref.WeakValueDictionary[str, Pipeline]" = weakref.WeakValueDictionary()


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
        over: whether it has given all.
        driver: what knows better how far the iterator is, if it is not the script itself.
        to_come: what `saved` returned, to be gone on with.
    """

    def __init__(self, name: str, dataset: Any) -> None:
        self.name, self.dataset = name, weakref.ref(dataset)
        self.begun = self.own = self.taken = 0
        self.finished: list[int] = []
        self.iterator: Any = lambda: None
        self.place = places.Place("", ())
        self.over = False
        self.driver: Callable[[], tuple[int, bool]] | None = None
        self.to_come: dict[str, Any] | None = None
        self._drawing: list[Pipeline] | None = None
        self.repeats = False
        self.began: Any = None
        self.restored = False

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

    def saved(self, now: Any) -> "dict[str, Any] | None":
        """Return where it is, in a few words; None if nothing has begun."""
        if self.to_come is not None:
            return self.to_come
        if not self.begun:
            return None
        state: dict[str, Any] = {"begun": self.begun, "own": self.own}
        taken, over = (self.taken, self.over) if self.driver is None else self.driver()
        if self.own and self.iterator() is not None and not over:
            if self.driver is not None or not places.is_over(self.place, now):
                state["taken"] = taken
                if self.began is not None:
                    state["began"] = self.began
        if self.repeats:
            state["finished"] = replay.packed([*self.finished, taken])
        return state


def of(dataset: Any) -> "Pipeline | None":
    """Return what is known of a dataset, if it was made where it can be followed."""
    try:
        return _pipelines.get(dataset)
    except TypeError:
        return None


def save() -> dict[str, Any]:
    """Return where each pipeline is that is not to be made anew."""
    now = places.now()
    values = {one.name: one.saved(now) for one in _by_name.values()}
    return {"datasets": _ledger.save(values), "seeds": _seeds.save()}


def restore(state: dict[str, Any]) -> None:
    """Have each pipeline go on where it was, as soon as it is asked for elements again."""
    _seeds.restore(state["seeds"])
    for name, kept in _ledger.restore(state["datasets"]).items():
        pipeline = _by_name.get(name)
        if pipeline is not None:
            pipeline.to_come = kept
            _catch_up(pipeline)


def _catch_up(pipeline: Pipeline) -> None:
    """Bring an iterator that the script has made already to where it was."""
    iterator = pipeline.iterator()
    position = pipeline.to_come
    if iterator is None or pipeline.over or position is None or "taken" not in position:
        return
    if pipeline.restored:
        pipeline.to_come = None
        pipeline.taken = position["taken"]
        pipeline.own = position["own"]
        for each in pipeline.drawing():
            if each.to_come is not None:
                each.begun = each.to_come["begun"]
        return
    replay.go_on(pipeline, iterator, again=True)


def _on_begin(original: Callable[..., None], iterator: Any, dataset: Any) -> None:
    pipeline = of(dataset)
    if pipeline is None or replay.busy():
        original(iterator, dataset)
        return
    if pipeline.to_come is not None and not replay.passed_over(dataset):
        replay.go_on(pipeline, iterator, again=False)
    else:
        begin(pipeline, iterator, original)


def begin(pipeline: Pipeline, iterator: Any, original: Callable[..., None]) -> None:
    """Begin an iterator on a dataset, and take it down."""
    original(iterator, pipeline.dataset())
    for each in pipeline.drawing():
        each.begun += 1
    if pipeline not in pipeline.drawing():
        pipeline.begun += 1
    if pipeline.own and pipeline.repeats:
        pipeline.finished.append(pipeline.taken if pipeline.driver is None else pipeline.driver()[0])
    pipeline.own += 1
    pipeline.iterator, pipeline.taken, pipeline.over = weakref.ref(iterator), 0, False
    pipeline.driver, pipeline.restored = None, False
    pipeline.place = places.here()
    pipeline.began = replay.python_state(pipeline)
    iterator._tf_repro_pipeline = pipeline


def _on_dataset_ops(module: ModuleType) -> None:
    @patch.around(module, "DatasetV2.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if sys.modules["tensorflow.python.eager.context"].executing_eagerly() and not replay.busy():
            name, position = _ledger.next()
            pipeline = _pipelines[self] = _by_name[name] = Pipeline(name, self)
            pipeline.to_come = position


def _on_iterator_ops(module: ModuleType) -> None:
    eager = module.context.executing_eagerly

    @patch.around(module, "OwnedIterator._create_iterator")
    def create_iterator(original: Callable[..., None], self: Any, dataset: Any) -> None:
        if eager():
            replay.ORIGINAL["begin"] = original
            _on_begin(original, self, dataset)
        else:
            original(self, dataset)

    @patch.around(module, "OwnedIterator._next_internal")
    def next_internal(original: Callable[..., Any], self: Any) -> Any:
        pipeline = getattr(self, "_tf_repro_pipeline", None)
        if pipeline is None or pipeline.iterator() is not self:
            return original(self)
        try:
            element = original(self)
        except module.errors.OutOfRangeError:
            pipeline.over = True
            raise
        pipeline.taken += 1
        return element

    @patch.around(module, "OwnedIterator._restore_from_tensors")
    def restore_from_tensors(original: Callable[..., Any], self: Any, *args: Any) -> Any:
        pipeline = getattr(self, "_tf_repro_pipeline", None)
        if pipeline is not None:
            pipeline.restored = True
        return original(self, *args)


def _on_seeds(module: ModuleType) -> None:
    @patch.around(module, "get_seed")
    def get_seed(original: Callable[..., Any], seed: Any) -> Any:
        tensorflow = sys.modules["tensorflow"]
        if seed is not None or not tensorflow.executing_eagerly() or replay.busy():
            return original(seed)
        name, known = _seeds.next()
        if known is None:
            seeds = original(seed)
            known = [int(each) for each in seeds]
        _seeds.keep(name, known)
        return tuple(tensorflow.constant(each, tensorflow.int64, name="seed") for each in known)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.data.ops.dataset_ops": _on_dataset_ops,
    "tensorflow.python.data.ops.iterator_ops": _on_iterator_ops,
    "tensorflow.python.data.util.random_seed": _on_seeds,
}
