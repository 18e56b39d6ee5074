"""Keras' fit: the epoch, the step, the metrics so far, and what callbacks keep in Python."""

import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.resume import callbacks, metrics, model_seeds, moment, pipeline, places

_ledger = places.Ledger()
# Fits that have begun and not come to their end, the innermost last.
_begun: "list[Fit]" = []


class Fit:
    """One call of fit that is running.

    Attributes:
        name: of its place in the script.
        model: that is trained.
        callbacks: its list; None where it has ended by an exception.
        epoch: that it is at.
        in_batch_end: whether the callbacks of a step's end are being called.
        at_end: whether the callbacks of an epoch's end are being called, or have been.
        keeps_iterator: whether all epochs take from one iterator.
        to_come: what `saved` returned, to be gone on with.
        late: savings that are put off to the end of the epoch.
        data: what hands out its batches.
        pipeline: that they come from.
        step: of the epoch, where Keras 3 hands out data.
        resumed: what it goes on from, until it has.
        metrics: their values, for the epoch that is resumed in its middle.
    """

    def __init__(self, name: str, callback_list: Any) -> None:
        self.name, self._callbacks = name, weakref.ref(callback_list)
        self.model = callback_list.model
        self.pipeline: pipeline.Pipeline | None = None
        self.epoch = 0
        self.steps: Callable[[], int] = lambda: 0
        self.taken: Callable[[], int] = lambda: 0
        self.in_batch_end = self.at_end = self.keeps_iterator = False
        self.to_come: dict[str, Any] | None = None
        self.late: list[Callable[[], None]] = []
        self.data: Any = None
        self.step = 0
        self.resumed: dict[str, Any] | None = None
        self.metrics: dict[str, Any] | None = None

    @property
    def callbacks(self) -> Any:  # noqa: D102  # above
        return self._callbacks()

    def end(self) -> None:
        """Let go of the data, and leave with them how far it came."""
        if self.pipeline is not None:
            self.pipeline.leave()

    @property
    def has_backup(self) -> bool:
        """Whether a callback backs it up, and not only the script."""
        return any(map(callbacks.is_backup, self.callbacks.callbacks))

    def position(self) -> tuple[int, bool]:
        """Return how many elements the present iterator has given, and whether it is done."""
        return int(self.taken()), self.at_end and not self.keeps_iterator

    def saved(self) -> dict[str, Any]:
        """Return where it is."""
        state: dict[str, Any] = {
            "epoch": self.epoch,
            "done": self.at_end,
            "stopped": bool(self.model.stop_training),
            "callbacks": callbacks.save(self.callbacks),
            "rate": callbacks.learning_rate(self.model),
            "seeds": model_seeds.save(self.model),
        }
        if not self.at_end:
            state["steps"] = self.steps()
            state["metrics"] = metrics.save(self.model)
        return state


def _running() -> "list[Fit]":
    """Return the fits that are running, the innermost last."""
    for fit in [fit for fit in _begun if fit.callbacks is None]:
        _begun.remove(fit)
        fit.end()
    return _begun


def of_model(model: Any) -> "Fit | None":
    """Return the fit of a model that is running, if there is one."""
    return next((fit for fit in reversed(_running()) if fit.model is model), None)


def latest() -> "Fit | None":
    """Return the fit that has begun last and still runs, if there is one."""
    return _running()[-1] if _running() else None


# What the Keras of the release does when a fit begins, and when it goes on.
BEGIN: "list[Callable[[Fit], None]]" = []
RESUME: "list[Callable[[Fit], None]]" = []


def save() -> dict[str, Any]:
    """Return where each fit is that is running."""
    return _ledger.save({fit.name: fit.saved() for fit in _running()})


def restore(state: dict[str, Any]) -> None:
    """Have the fit that is running, or the next one of its line, go on from there."""
    for name, kept in _ledger.restore(state).items():
        for fit in _running():
            if fit.name == name:
                fit.to_come = kept


def _begin(callback_list: Any) -> Fit:
    name, to_come = _ledger.next()
    fit = Fit(name, callback_list)
    fit.to_come = to_come
    _running().append(fit)
    for each in BEGIN:
        each(fit)
    return fit


def _go_on(fit: Fit) -> None:
    """Give the callbacks what they kept, once all of them have begun."""
    if moment.awaits_fit(fit.name):
        moment.go_on()
    moment.note_training()
    if fit.to_come is not None:
        callbacks.restore(fit.callbacks, fit.to_come["callbacks"])
        callbacks.set_learning_rate(fit.model, fit.to_come["rate"])
        model_seeds.restore(fit.model, fit.to_come["seeds"])
        for each in RESUME:
            each(fit)


def on_callback_list(module: ModuleType) -> None:
    """Follow each fit from its first callback to its last, in Keras 2 and 3."""

    @patch.around(module, "CallbackList.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        # What backs up saves what the others have done, and so comes after them.
        self.callbacks.sort(key=callbacks.is_backup)

    @patch.around(module, "CallbackList.on_train_begin")
    def on_train_begin(original: Callable[..., None], self: Any, logs: Any = None) -> None:
        fit = _begin(self)
        original(self, logs)
        moment.guarded(_go_on)(fit)

    @patch.around(module, "CallbackList.on_train_end")
    def on_train_end(original: Callable[..., None], self: Any, logs: Any = None) -> None:
        for fit in [fit for fit in _running() if fit.callbacks is self]:
            _begun.remove(fit)
            fit.end()
        original(self, logs)

    @patch.around(module, "CallbackList.on_epoch_begin")
    def on_epoch_begin(
        original: Callable[..., None], self: Any, epoch: int, logs: Any = None
    ) -> None:
        fit = _of_list(self)
        if fit is not None:
            fit.epoch, fit.at_end = int(epoch), False
            if fit.metrics is not None:
                metrics.restore(fit.model, fit.metrics)
                fit.metrics = None
        original(self, epoch, logs)

    @patch.around(module, "CallbackList.on_train_batch_end")
    def on_train_batch_end(
        original: Callable[..., None], self: Any, batch: int, logs: Any = None
    ) -> None:
        fit = _of_list(self)
        if fit is None:
            original(self, batch, logs)
            return
        fit.in_batch_end = True
        try:
            original(self, batch, logs)
        finally:
            fit.in_batch_end = False

    @patch.around(module, "CallbackList.on_epoch_end")
    def on_epoch_end(
        original: Callable[..., None], self: Any, epoch: int, logs: Any = None
    ) -> None:
        fit = _of_list(self)
        if fit is None:
            original(self, epoch, logs)
            return
        fit.at_end = True
        metrics.end_of_epoch()
        with moment.round_of_callbacks():
            original(self, epoch, logs)
            late, fit.late = fit.late, []
            for each in late:
                each()


def _of_list(callback_list: Any) -> "Fit | None":
    return _begun[-1] if _begun and _begun[-1].callbacks is callback_list else None


def begin_epoch(fit: Fit, dataset: Any) -> None:
    """Take down that an epoch has its iterator, and that the fit knows how far it is."""
    known = pipeline.of(dataset)
    if known is not None:
        known.driver, fit.pipeline = fit.position, known


moment.PARTS["fit"] = moment.Part(save, restore)
