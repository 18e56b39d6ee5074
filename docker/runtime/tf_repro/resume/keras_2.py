"""Keras 2: where `fit` is in its data."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.resume import fitting, kernels, moment, pipeline, replay


def _on_data_adapter(module: ModuleType) -> None:
    _on_arrays(module)

    @patch.around(module, "DataHandler.enumerate_epochs")
    def enumerate_epochs(original: Callable[..., Any], self: Any) -> Iterator[Any]:
        fit = fitting.of_model(self._model)
        if fit is None or fit.data is not None:  # an evaluation, within a fit or without
            yield from original(self)
            return
        fit.data = self
        before = 0  # what earlier epochs have taken from the iterator
        fit.keeps_iterator = not self._adapter.should_recreate_iterator()
        fit.steps = lambda: _steps(self, fit)
        fit.taken = lambda: before + _steps(self, fit)
        if not fit.keeps_iterator:
            replay.pass_over(self._dataset)
        before += _go_on(self, fit)
        for epoch, iterator in original(self):
            fitting.begin_epoch(fit, self._dataset)
            yield epoch, iterator
            before = before + self._current_step if fit.keeps_iterator else 0


def _on_arrays(module: ModuleType) -> None:
    @patch.around(module, "TensorLikeDataAdapter.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        # One iterator gives the batches of all epochs, and is to pass over those that are done,
        # which Keras leaves out where the script names the first.
        if "epochs" in kwargs:
            kwargs["epochs"] += moment.epochs_to_come()
        original(self, *args, **kwargs)


def _steps(handler: Any, fit: fitting.Fit) -> int:
    """Return how many steps of the epoch are done."""
    if fit.in_batch_end:
        return int(handler._current_step + handler._step_increment + 1)
    return int(handler._current_step)


def _go_on(handler: Any, fit: fitting.Fit) -> int:
    """Begin where the fit was; return what earlier epochs had taken from its iterator."""
    state, fit.to_come = fit.to_come, None
    if state is None:
        return 0
    if state["stopped"]:
        handler._initial_epoch = handler._epochs
    known = pipeline.of(handler._dataset)
    position = (known.to_come or {}) if known is not None else {}
    taken = int(position.get("taken", 0))
    if not state["done"] and handler._initial_epoch == state["epoch"]:
        handler._initial_step = handler._initial_step or state["steps"]
        fit.metrics = state["metrics"]
        taken -= state["steps"]
    return taken if fit.keeps_iterator else 0


def _is_last(fit: fitting.Fit) -> bool:
    """Return whether the callbacks of an epoch's last step are being called."""
    return fit.in_batch_end and fit.data is not None and fit.steps() == fit.data._inferred_steps


def _on_callbacks(module: ModuleType) -> None:
    if hasattr(module, "__path__"):
        return  # a package, which has its list from another module
    fitting.on_callback_list(module)
    for name in ("BackupAndRestore", "ModelCheckpoint"):

        @patch.around(module, f"{name}.__init__")
        def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
            kernels.expect_saves()
            original(self, *args, **kwargs)

    @patch.around(module, "BackupAndRestore._backup")
    def backup(original: Callable[..., None], self: Any, epoch: int, batch: int = 0) -> None:
        fit = fitting.of_model(self.model)
        if fit is not None and _is_last(fit):
            # Keras begins the next epoch then, so that this one must have come to its end.
            fit.late.append(lambda: original(self, epoch, batch))
        else:
            original(self, epoch, batch)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "keras.engine.data_adapter": _on_data_adapter,
    "keras.src.engine.data_adapter": _on_data_adapter,
    "keras.callbacks": _on_callbacks,
    "keras.src.callbacks": _on_callbacks,
}
