"""tf.train.Checkpoint, CheckpointManager, and all that saves and restores by them."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.resume import kernels, moment, state_file

_INDEX = ".index"


def _text(path: Any) -> str:
    value = path.numpy() if hasattr(path, "numpy") else path
    return value.decode() if isinstance(value, bytes) else str(value)


def _on_checkpoint(module: ModuleType) -> None:
    for name in ("Checkpoint", "CheckpointV1"):

        @patch.around(module, f"{name}.__init__")
        def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
            kernels.expect_saves()
            original(self, *args, **kwargs)

    # Before a manager takes the checkpoint down as its latest: what has no state is not used.
    @patch.around(module, "TrackableSaver.save")
    def save(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        path = original(*args, **kwargs)
        if module.context.executing_eagerly() and kwargs.get("session") is None:
            moment.saved(_text(path))
        return path

    @patch.around(module, "TrackableSaver.restore")
    def restore(
        original: Callable[..., Any], self: Any, save_path: Any, *args: Any, **kwargs: Any
    ) -> Any:
        status = original(self, save_path, *args, **kwargs)
        if save_path is not None and module.context.executing_eagerly():
            moment.restored(_text(save_path))
        return status


def _on_management(module: ModuleType) -> None:
    @patch.around(module, "_delete_file_if_exists")
    def delete_file_if_exists(original: Callable[..., None], filespec: str) -> None:
        original(filespec)
        if filespec.endswith(_INDEX) and "://" not in filespec:
            state_file.remove(filespec.removesuffix(_INDEX))


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.checkpoint.checkpoint": _on_checkpoint,
    "tensorflow.python.checkpoint.checkpoint_management": _on_management,
}
