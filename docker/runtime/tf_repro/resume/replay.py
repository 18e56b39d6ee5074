"""Bring a pipeline to where it was: begin what had begun, and take what had been taken."""

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

from tf_repro import messages
from tf_repro.resume import global_states, objects, places, skipping
from tf_repro.resume.pipeline import Pipeline, itself

# Seconds after which it is said how far it is, and between two such lines.
PATIENCE = 3.0
_busy = False
# Datasets whose next iterator is made and never used.
_unused: list[Any] = []


def busy() -> bool:
    """Return whether what runs is ours, and nothing of the script's."""
    return _busy


@contextlib.contextmanager
def ours() -> Iterator[None]:
    """Have what is made meanwhile be ours, which nobody follows."""
    global _busy  # noqa: PLW0603  # once for each process
    before, _busy = _busy, True
    try:
        yield
    finally:
        _busy = before


def pass_over(dataset: Any) -> None:
    """Take down that the next iterator on a dataset is made and never used, as Keras does."""
    _unused.append(itself(dataset))


def passed_over(dataset: Any) -> bool:
    """Return whether it was taken down that the iterator now made on a dataset is never used."""
    for number, each in enumerate(_unused):
        if each is itself(dataset):
            del _unused[number]
            return True
    return False


def python_state(pipeline: Pipeline) -> Any:
    """Return the state that the functions of a pipeline in Python draw from, or None."""
    if not any(_calls_python(one) for one in _parts(pipeline.dataset())):
        return None
    return {"global": global_states.save(), "objects": objects.save()}


def _parts(dataset: Any) -> Iterator[Any]:
    seen: dict[int, Any] = {}
    left = [dataset]
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen[id(one)] = one
            yield one
            left.extend(one._inputs())


def _calls_python(dataset: Any) -> bool:
    """Return whether a function of this part of a pipeline calls Python."""
    function = getattr(getattr(dataset, "_map_func", None), "function", None)
    graph = getattr(function, "graph", None)
    if graph is None:
        return False
    known: bool | None = getattr(dataset, "_tf_repro_python", None)
    if known is None:
        text = graph.as_graph_def()
        kinds = {node.op for node in text.node}
        kinds.update(node.op for each in text.library.function for node in each.node_def)
        known = bool(kinds & {"PyFunc", "EagerPyFunc", "GeneratorDataset"})
        dataset._tf_repro_python = known
    return known


def begin(pipeline: Pipeline, iterator: Any, behind: int = 0) -> None:
    """Begin an iterator on a dataset, and take it down.

    Args:
        pipeline: of the dataset.
        iterator: the Python object.
        behind: elements that it leaves out at the beginning.
    """
    assert pipeline.create is not None  # whoever begins says how
    dataset: Any = pipeline.dataset()
    if behind:
        with ours():
            dataset = skipping.skipped(dataset, behind * pipeline.width)
    pipeline.create(iterator, dataset)
    pipeline.skips = bool(behind)
    for each in pipeline.drawing():
        each.begun += 1
    if pipeline not in pipeline.drawing():
        pipeline.begun += 1
    if pipeline.own and pipeline.repeats:
        pipeline.finished.append(pipeline.given())
    pipeline.own += 1
    pipeline.iterator, pipeline.taken, pipeline.over = weakref.ref(iterator), 0, False
    pipeline.driver, pipeline.restored = None, False
    pipeline.place, pipeline.turn, pipeline.moved_on = places.here(), places.turn(), False
    pipeline.began = python_state(pipeline)
    iterator._tf_repro_pipeline = pipeline


def go_on(pipeline: Pipeline, iterator: Any, *, again: bool) -> None:
    """Begin an iterator where the one of its dataset was when the state was saved.

    Args:
        pipeline: of the dataset.
        iterator: the Python object.
        again: it has begun already, before the state was restored.
    """
    position = pipeline.to_come or {}
    pipeline.to_come = None
    continues = "taken" in position
    missing = position.get("begun", 0) - pipeline.begun - (1 if continues else 0)
    if again and missing < 0 and position["own"] == pipeline.own:
        _take(pipeline, iterator, position["taken"] - pipeline.taken)
        pipeline.moved_on = position["turn"] != pipeline.turn
        return
    with ours():
        if pipeline.repeats and "finished" in position:
            _begin_all(pipeline, position, continues)
        else:
            for each in pipeline.drawing():
                known = position if each is pipeline else each.to_come
                _begin_on(each, known, continues=continues)
    begun_at = pipeline.place, pipeline.turn
    before = None
    if continues and "began" in position:
        before = global_states.save(), objects.save()
        global_states.restore(position["began"]["global"])
        objects.restore(position["began"]["objects"])
    behind = _behind(pipeline, position["taken"]) if continues else 0
    begin(pipeline, iterator, behind)
    if again:
        pipeline.place, pipeline.turn = begun_at
    pipeline.own = position.get("own", 0) + (0 if continues else 1)
    pipeline.begun = position.get("begun", 0) + (0 if continues else 1)
    for each in pipeline.drawing():
        each.to_come = None if each is pipeline else each.to_come
    if continues:
        _take(pipeline, iterator, position["taken"] - behind, behind)
        pipeline.taken = position["taken"]
        pipeline.moved_on = position["turn"] != pipeline.turn
    if before is not None:
        objects.restore(before[1])
        global_states.restore(before[0])
        pipeline.began = position["began"]


def _begin_on(part: Pipeline, known: "dict[str, Any] | None", *, continues: bool) -> None:
    """Begin as many iterators on a part that draws as had begun on it."""
    if known is not None:
        for _ in range(known["begun"] - part.begun - (1 if continues else 0)):
            _begin_unused(part)


def _begin_unused(part: Pipeline) -> None:
    dataset = part.dataset()
    if dataset is not None:
        iter(dataset)
        for each in part.drawing():
            each.begun += 1


def _begin_all(pipeline: Pipeline, position: dict[str, Any], continues: bool) -> None:
    """Begin all iterators again, and take from each what was taken: a part of it repeats."""
    numbers = [number for number, times in position["finished"] for _ in range(times)]
    if continues:
        numbers.pop()
    dataset: Any = pipeline.dataset()
    with _progress(pipeline, sum(numbers)) as progress:
        for number in numbers[pipeline.own :]:
            behind = _behind(pipeline, number)
            width = pipeline.width
            iterator = iter(skipping.skipped(dataset, behind * width) if behind else dataset)
            progress.done += behind
            for _ in range(number - behind):
                for _ in range(width):
                    next(iterator, None)
                progress.done += 1
    for each in pipeline.drawing():
        known = position if each is pipeline else each.to_come
        if known is not None:
            each.begun = known["begun"] - (1 if continues else 0)
    pipeline.finished = numbers


def _behind(pipeline: Pipeline, number: int) -> int:
    """Return how many of `number` elements need not be made.

    The last one is: what is skipped is so while the next one is asked for, and that has to be now.
    """
    return max(number - 1, 0) if skipping.can_pass(pipeline.dataset()) else 0


def _take(pipeline: Pipeline, iterator: Any, number: int, behind: int = 0) -> None:
    """Take elements that were taken before, and leave them; `behind` more are skipped with them."""
    take = getattr(iterator, "_next_internal", None) or iterator.get_next
    with _progress(pipeline, number + behind) as progress:
        for _ in range(number):
            take()
            progress.done += 1


class _Progress:
    """How far it is with passing over elements.

    Attributes:
        done: elements that have been passed over.
    """

    def __init__(self, pipeline: Pipeline, number: int) -> None:
        self._line = pipeline.name.rpartition("/")[0].lstrip("@")
        self._number, self.done = number, 0

    def tell(self, ended: threading.Event) -> None:
        """Say so every few seconds, beside what TensorFlow does, until it has ended."""
        begun = time.monotonic()
        while not ended.wait(PATIENCE):
            seconds = round(time.monotonic() - begun)
            so_far = f"{self.done} of {self._number}" if self.done else str(self._number)
            messages.warn(
                f"the data of {self._line}: {so_far} elements that were used before the "
                f"interruption are passed over, {seconds} s so far"
            )


@contextlib.contextmanager
def _progress(pipeline: Pipeline, number: int) -> Iterator[_Progress]:
    progress, ended = _Progress(pipeline, number), threading.Event()
    thread = threading.Thread(target=progress.tell, args=(ended,), name="tf_repro-progress")
    thread.start()
    try:
        yield progress
    finally:
        ended.set()
        thread.join()
