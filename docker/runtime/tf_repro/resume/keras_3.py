"""Keras 3: where `fit` is in its data, and its own backups."""

import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.resume import fitting, kernels, pipeline

# The epoch iterator that was last begun anew: fit's, when its callbacks begin.
_last: "list[weakref.ref[Any]]" = []


def _on_epoch_iterator(module: ModuleType) -> None:
    @patch.around(module, "EpochIterator.reset")
    def reset(original: Callable[..., None], self: Any) -> None:
        original(self)
        _last[:] = [weakref.ref(self)]

    @patch.around(module, "EpochIterator._enumerate_iterator")
    def enumerate_iterator(original: Callable[..., Any], self: Any) -> Iterator[Any]:
        fit = fitting.latest()
        if fit is None or fit.data is not self:
            yield from original(self)
            return
        dataset = getattr(self, "_distributed_dataset", None)
        done, seen = _go_on(fit, dataset)
        fit.step = 0
        for begin, end, iterator in original(self):
            if not fit.step:
                self._steps_seen += seen
                fitting.begin_epoch(fit, dataset)
            fit.step = end + 1
            if begin >= done:
                yield begin, end, iterator


def _go_on(fit: fitting.Fit, dataset: Any) -> tuple[int, int]:
    """Begin where the fit was.

    Returns:
        how many steps of the epoch are done, and how many elements the iterator had given before
        them.
    """
    state, fit.resumed = fit.resumed, None
    if state is None:
        return 0, 0
    known = pipeline.of(dataset)
    position = (known.to_come or {}) if known is not None else {}
    taken = int(position.get("taken", 0))
    done = 0 if state["done"] or fit.epoch != state["epoch"] else int(state["steps"])
    return done, taken - done if fit.keeps_iterator else 0


def _begin(fit: fitting.Fit) -> None:
    data = _last.pop()() if _last else None
    if data is None:
        return
    fit.data = data
    fit.keeps_iterator = data.steps_per_epoch is not None
    fit.steps = lambda: fit.step
    fit.taken = lambda: data._steps_seen


def _resume(fit: fitting.Fit) -> None:
    """Have fit begin with the epoch that the state is of, whatever the backup's own file says."""
    state, fit.to_come = fit.to_come, None
    if state is None:
        return
    fit.resumed, fit.metrics = state, state.get("metrics")
    if fit.has_backup:
        fit.model._initial_epoch = state["epoch"] + (1 if state["done"] else 0)
    if state["stopped"]:
        fit.model._initial_epoch = 1 << 30


def _on_callback_list(module: ModuleType) -> None:
    fitting.BEGIN.append(_begin)
    fitting.RESUME.append(_resume)
    fitting.on_callback_list(module)


def _on_backup(module: ModuleType) -> None:
    _on_saving_callback("BackupAndRestore")(module)

    @patch.around(module, "BackupAndRestore._save_model")
    def save_model(original: Callable[..., None], self: Any) -> None:
        fit = fitting.of_model(self.model)
        if fit is not None and fit.in_batch_end and fit.steps() == fit.data.num_batches:
            # There is no step left to resume the epoch by, and its end belongs to it.
            fit.late.append(lambda: original(self))
        else:
            original(self)


def _on_saving_callback(name: str) -> Callable[[ModuleType], None]:
    def hook(module: ModuleType) -> None:
        @patch.around(module, f"{name}.__init__")
        def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
            kernels.expect_saves()
            original(self, *args, **kwargs)

    return hook


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "keras.src.trainers.epoch_iterator": _on_epoch_iterator,
    "keras.src.callbacks.callback_list": _on_callback_list,
    "keras.src.callbacks.backup_and_restore": _on_backup,
    "keras.src.callbacks.model_checkpoint": _on_saving_callback("ModelCheckpoint"),
}
