"""What is trained is remembered: models by their train function, variables by their optimiser."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.tracking import run_passport


def _on_model(name: str) -> "Callable[[ModuleType], None]":
    def hook(module: ModuleType) -> None:
        @patch.around(module, f"{name}.make_train_function")
        def make_train_function(
            original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any
        ) -> Any:
            from tf_repro.recording import trained  # noqa: PLC0415  # it needs NumPy

            trained.note_model(self)
            return original(self, *args, **kwargs)

    return hook


def _on_optimizer(name: str, method: str) -> "Callable[[ModuleType], None]":
    def hook(module: ModuleType) -> None:
        if method not in vars(getattr(module, name)):
            return  # another release, where another class has it

        @patch.around(module, f"{name}.{method}")
        def apply(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
            from tf_repro.recording import keras, trained  # noqa: PLC0415  # as above

            update = keras.read_update(self, method, args, kwargs)
            trained.note_variables(update.variables)
            return original(self, *update.args, **update.kwargs)

    return hook


def _on_callbacks(module: ModuleType) -> None:
    if hasattr(module, "__path__"):
        return  # a package, which has its list from another module

    @patch.around(module, "CallbackList.on_epoch_end")
    def on_epoch_end(original: Callable[..., Any], self: Any, epoch: int, logs: Any = None) -> Any:
        done = original(self, epoch, logs)
        # After the callbacks: a lazy logs dict has been read by then.
        run_passport.metrics.update(
            (name, float(value)) for name, value in dict(logs or {}).items()
        )
        return done


ON_IMPORT: "dict[str, Callable[[ModuleType], None]]" = {
    "keras.engine.training": _on_model("Model"),
    "keras.src.engine.training": _on_model("Model"),
    "keras.optimizers.optimizer": _on_optimizer("Optimizer", "apply_gradients"),
    "keras.src.optimizers.optimizer": _on_optimizer("Optimizer", "apply_gradients"),
    "keras.optimizers.legacy.optimizer_v2": _on_optimizer("OptimizerV2", "apply_gradients"),
    "keras.src.optimizers.legacy.optimizer_v2": _on_optimizer("OptimizerV2", "apply_gradients"),
    "keras.callbacks": _on_callbacks,
    "keras.src.backend.tensorflow.trainer": _on_model("TensorFlowTrainer"),
    "keras.src.optimizers.base_optimizer": _on_optimizer("BaseOptimizer", "apply"),
    "keras.src.callbacks.callback_list": _on_callbacks,
    "keras.src.callbacks": _on_callbacks,
}
