"""Keras 2 and 3: the batch of a train_step, the optimiser's update, and the logs of an epoch."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from tf_repro import patch
from tf_repro.recording.format import Kind


class Update(NamedTuple):
    """One call of an optimiser.

    Attributes:
        gradients: in the order of the variables.
        variables: what is updated.
        args: the positional arguments, for the original.
        kwargs: the others.
    """

    gradients: list[Any]
    variables: list[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def _on_model(name: str) -> Callable[[ModuleType], None]:
    """Return a hook for the class that makes the train function out of train_step.

    The user's own class may override train_step, so it is wrapped where it is defined, when the
    first function of a model is made. train_on_batch makes the same function.
    """

    def hook(module: ModuleType) -> None:
        @patch.around(module, f"{name}.make_train_function")
        def make_train_function(
            original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any
        ) -> Any:
            owner: Any = next(one for one in type(self).__mro__ if "train_step" in vars(one))
            patch.around(owner, "train_step")(_train_step)
            _follow(self)
            return original(self, *args, **kwargs)

    return hook


def _train_step(
    original: Callable[..., Any], self: Any, data: Any, *args: Any, **kwargs: Any
) -> Any:
    from tf_repro.recording import at_hand, steps  # noqa: PLC0415  # it needs TensorFlow

    with at_hand.in_xla(compiled=bool(getattr(self, "jit_compile", False))):
        if at_hand.gathered.in_xla:
            _say_once(self)
        else:
            steps.note_batch(data)
        try:
            return original(self, data, *args, **kwargs)
        finally:
            at_hand.gathered.batch = None


def _say_once(model: Any) -> None:
    from tf_repro.recording import writer  # noqa: PLC0415  # as above

    writer.write(Kind.UNRECORDED, what=f"steps of {model.name}", reason="jit_compile=True")


def _follow(model: Any) -> None:
    from tf_repro.recording import final_weights  # noqa: PLC0415  # as above

    final_weights.follow(model)


def _on_optimizer(name: str, method: str) -> Callable[[ModuleType], None]:
    def hook(module: ModuleType) -> None:
        if method not in vars(getattr(module, name)):
            return  # another release, where another class has it
        patch.around(module, f"{name}.{method}")(_applying(method))

    return hook


def _applying(method: str) -> Callable[..., Any]:
    """Return an apply_gradients (pairs) or an apply (two lists) that records the step."""

    def apply(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        from tf_repro.recording import at_hand, final_weights, steps  # noqa: PLC0415  # as above

        if at_hand.gathered.in_xla or at_hand.gathered.in_update:
            return original(self, *args, **kwargs)
        update = read_update(self, method, args, kwargs)
        variables = update.variables
        series = steps.series_of(self, variables)
        before = steps.note_weights(variables)
        digests = steps.note_gradients(update.gradients)
        steps.keep_gradients(series, update.gradients)
        at_hand.gathered.in_update = True
        try:
            done = original(self, *update.args, **update.kwargs)
        finally:
            at_hand.gathered.in_update = False
        final_weights.follow_variables(variables)
        steps.emit(series, before, digests, variables)
        return done

    return apply


def read_update(
    optimizer: Any, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Update:
    """Return what an apply_gradients (pairs) or an apply (two lists) is called with.

    An iterator is read once: whoever calls the original has to give it `args` and `kwargs`.
    """
    name = "grads" if method == "apply" else "grads_and_vars"
    first = list(kwargs[name] if name in kwargs else args[0])
    rest = {key: value for key, value in kwargs.items() if key != name}
    if method == "apply":
        given = args[1] if len(args) > 1 else rest.get("trainable_variables")
        gradients, variables = first, optimizer._trainable_variables if given is None else given
    else:
        gradients, variables = [one for one, _ in first], [one for _, one in first]
    return Update(gradients, list(variables), (first, *args[1:]), rest)


def _write_epoch(epoch: int, logs: Any) -> None:
    from tf_repro.recording import writer  # noqa: PLC0415  # as above

    numbers = {name: float(value) for name, value in dict(logs or {}).items()}
    writer.write(Kind.EPOCH, epoch=int(epoch) + 1, logs=numbers)


def _on_callbacks(module: ModuleType) -> None:
    if hasattr(module, "__path__"):
        return  # a package, which has its list from another module

    @patch.around(module, "CallbackList.on_epoch_end")
    def on_epoch_end(original: Callable[..., Any], self: Any, epoch: int, logs: Any = None) -> Any:
        from tf_repro.recording import guard  # noqa: PLC0415  # as above

        done = original(self, epoch, logs)
        # After the callbacks: a lazy logs dict has been read by then, and History has its copy.
        guard.guarded("the logs of an epoch")(_write_epoch)(epoch, logs)
        return done


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    # Keras 2: 2.12, and 2.13 to 2.15.
    "keras.engine.training": _on_model("Model"),
    "keras.src.engine.training": _on_model("Model"),
    "keras.optimizers.optimizer": _on_optimizer("Optimizer", "apply_gradients"),
    "keras.src.optimizers.optimizer": _on_optimizer("Optimizer", "apply_gradients"),
    "keras.optimizers.legacy.optimizer_v2": _on_optimizer("OptimizerV2", "apply_gradients"),
    "keras.src.optimizers.legacy.optimizer_v2": _on_optimizer("OptimizerV2", "apply_gradients"),
    "keras.callbacks": _on_callbacks,
    # Keras 3.
    "keras.src.backend.tensorflow.trainer": _on_model("TensorFlowTrainer"),
    "keras.src.optimizers.base_optimizer": _on_optimizer("BaseOptimizer", "apply"),
    "keras.src.callbacks.callback_list": _on_callbacks,
    "keras.src.callbacks": _on_callbacks,
}
