"""tf.data: what follows the pipelines of a script, and has them go on where they were.

The script's own saving of an iterator, where there is one, is TensorFlow's affair; what is here
only follows.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.resume import pipeline, places, replay

_ledger = places.Ledger()
_seeds = places.Ledger()


def save() -> dict[str, Any]:
    """Return where each pipeline is that is not to be made anew."""
    now = places.now()
    values = {one.name: one.saved(now) for one in pipeline.by_name.values()}
    return {"datasets": _ledger.save(values), "seeds": _seeds.save()}


def restore(state: dict[str, Any]) -> None:
    """Have each pipeline go on where it was, as soon as it is asked for elements again."""
    _seeds.restore(state["seeds"])
    here = []
    for name, kept in _ledger.restore(state["datasets"]).items():
        known = pipeline.by_name.get(name)
        if known is not None:
            known.to_come = kept
            here.append(known)
    for known in here:  # one that goes on asks the others where they were
        _catch_up(known)


def _catch_up(known: pipeline.Pipeline) -> None:
    """Bring an iterator that the script has made already to where it was."""
    iterator, position = known.iterator(), known.to_come
    if iterator is None or known.over or position is None or "taken" not in position:
        return
    if not known.restored:
        replay.go_on(known, iterator, again=True)
        return
    known.to_come, known.taken, known.own = None, position["taken"], position["own"]
    for each in known.drawing():
        if each.to_come is not None:
            each.begun = each.to_come["begun"]


def begin(create: Callable[[Any, Any], None], iterator: Any, dataset: Any, width: int = 1) -> None:
    """Begin an iterator on a dataset, where the one before the interruption was.

    Args:
        create: begins it, without us.
        iterator: the Python object.
        dataset: it may be nothing that is followed.
        width: elements that are taken for each that is given.
    """
    known = pipeline.of(dataset)
    if known is None or replay.busy():
        create(iterator, dataset)
        return
    known.create, known.width = create, width
    if known.to_come is not None and not replay.passed_over(dataset):
        replay.go_on(known, iterator, again=False)
    else:
        replay.begin(known, iterator)


def _on_dataset_ops(module: ModuleType) -> None:
    @patch.around(module, "DatasetV2.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if sys.modules["tensorflow.python.eager.context"].executing_eagerly() and not replay.busy():
            name, position = _ledger.next()
            pipeline.follow(name, self).to_come = position


def _on_iterator_ops(module: ModuleType) -> None:
    eager = module.context.executing_eagerly

    @patch.around(module, "OwnedIterator._create_iterator")
    def create_iterator(original: Callable[..., None], self: Any, dataset: Any) -> None:
        if eager():
            begin(original, self, dataset)
        else:
            original(self, dataset)

    patch.around(module, "OwnedIterator._next_internal")(_counted(module))

    @patch.around(module, "OwnedIterator._restore_from_tensors")
    def restore_from_tensors(original: Callable[..., Any], self: Any, *args: Any) -> Any:
        known = getattr(self, "_tf_repro_pipeline", None)
        if known is not None:
            if known.skips:  # its state is that of one which skips nothing
                known.create(self, known.dataset())
                known.skips = False
            known.restored = True
        return original(self, *args)


def _counted(module: ModuleType) -> Callable[..., Any]:
    """Return what is around the function that takes an element from an iterator, and counts it."""

    def take(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        known = getattr(self, "_tf_repro_pipeline", None)
        if known is None or known.iterator() is not self or not module.context.executing_eagerly():
            return original(self, *args, **kwargs)
        try:
            element = original(self, *args, **kwargs)
        except module.errors.OutOfRangeError:
            if not known.moved_on or known.driver is not None:
                known.over = True
                raise
            replay.begin(known, self)
            element = original(self, *args, **kwargs)
        if known.moved_on and known.driver is None and _is_nothing(element):
            replay.begin(known, self)
            element = original(self, *args, **kwargs)
        known.taken += 1
        known.moved_on = False
        return element

    return take


def _is_nothing(element: Any) -> bool:
    """Return whether it is what replicas get at the end of the data: optionals without a value."""
    parts = element if isinstance(element, list) else ()
    optionals = [part for part in parts if hasattr(part, "has_value")]
    return bool(optionals) and not any(bool(one.has_value()) for one in optionals)


def _on_multi_device_iterator_ops(module: ModuleType) -> None:
    """Follow what hands each replica a part of every step, under a strategy of several."""

    @patch.around(module, "OwnedMultiDeviceIterator.__init__")
    def init(
        original: Callable[..., None],
        self: Any,
        dataset: Any = None,
        devices: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        def create(iterator: Any, dataset: Any) -> None:
            with replay.ours():  # it makes datasets and iterators for each of them
                original(iterator, dataset, devices, *args, **kwargs)

        if dataset is not None and module.context.executing_eagerly():
            begin(create, self, dataset, len(devices))
        else:
            original(self, dataset, devices, *args, **kwargs)

    for name in ("get_next", "get_next_as_optional"):
        patch.around(module, f"OwnedMultiDeviceIterator.{name}")(_counted(module))


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
    "tensorflow.python.data.ops.multi_device_iterator_ops": _on_multi_device_iterator_ops,
    "tensorflow.python.data.util.random_seed": _on_seeds,
}
