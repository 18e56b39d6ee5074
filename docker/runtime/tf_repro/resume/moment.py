"""The moments at which a checkpoint is saved or restored, and the whole state with it."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tf_repro import messages, settings, streams
from tf_repro.resume import entry, global_states, kernels, objects, pipelines, state_file

_LIBRARIES = ("tensorflow", "keras", "numpy", "torch")


class Part(NamedTuple):
    """A part of the state.

    Attributes:
        save: returns what JSON can hold.
        restore: takes what `save` returned.
    """

    save: Callable[[], Any]
    restore: Callable[[Any], None]


# In the order in which they are restored: the global generators last, as the others may draw.
# Rooms above this one add theirs.
PARTS = {
    "ops": Part(kernels.save, kernels.restore),
    "data": Part(pipelines.save, pipelines.restore),
    "objects": Part(objects.save, objects.restore),
    "global": Part(global_states.save, global_states.restore),
}

_process = os.getpid()
# Whether this process has trained, so that what it loads is no training that goes on.
_has_trained = False
_said: set[str] = set()
# Why what was restored is nothing to go on from. Whoever only evaluates need not know.
_unsaid: list[str] = []
# The checkpoint that was restored, and its state, until the training goes on from it.
_pending: "tuple[str, dict[str, Any]] | None" = None
# Checkpoints whose states were written while callbacks were called, for each such round.
_rounds: list[list[str]] = []


def _say(line: str) -> None:
    if line not in _said:
        _said.add(line)
        messages.warn(line)


def note_training() -> None:
    """Take down that this process has trained; what it restores from now on is its own affair."""
    global _has_trained  # noqa: PLW0603  # once for each process
    _has_trained = True
    for line in _unsaid:
        _say(line)
    _unsaid.clear()


def _script() -> str:
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    try:
        return hashlib.blake2b(Path(file or "").read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""


def _identity() -> dict[str, Any]:
    """Return what must be the same for a state to be used, by the words that say what is not."""
    chosen = settings.current
    return {
        "seed": chosen.seed,
        "mode": chosen.mode,
        "reach": chosen.reach,
        "image": {
            "streams": streams.VERSION,
            **{
                name: str(getattr(sys.modules[name], "__version__", ""))
                for name in _LIBRARIES
                if name in sys.modules
            },
        },
        "script": _script(),
    }


def is_ours() -> bool:
    """Return whether this is the process that trains, and no child that was forked from it."""
    return os.getpid() == _process


def saved(checkpoint: str, written: "str | None" = None) -> None:
    """Leave the state beside a checkpoint that has just been saved.

    Args:
        checkpoint: the file, prefix or folder.
        written: where it is until it takes its place.
    """
    if not is_ours() or "://" in checkpoint:
        return
    try:
        parts = {name: part.save() for name, part in PARTS.items()}
        state = {
            **_identity(),
            "loop": entry.loop(),
            "unseen": kernels.unseen(),
            "parts": parts,
        }
        state_file.write(checkpoint, state_file.digest_of(written or checkpoint), state)
        if _rounds:
            _rounds[-1].append(checkpoint)
        if kernels.not_found_again():
            _say(
                f"{kernels.not_found_again()} random ops of functions were not traced again as "
                "before the interruption: what draws in their place draws other numbers"
            )
    except Exception as error:  # noqa: BLE001  # whatever it is, the training goes on
        _say(f"{checkpoint} has no state to resume from: {_why(error)}")
    note_training()


def _why(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return text if isinstance(error, state_file.RefusedError) else f"{type(error).__name__}: {text}"


def is_usable(checkpoint: str) -> bool:
    """Return whether a checkpoint has a state that a training can go on from."""
    if not is_ours() or _has_trained or "://" in checkpoint:
        return False
    try:
        state = state_file.read(checkpoint)
        if state is not None:
            _refuse_others(state)
    except (OSError, state_file.RefusedError):
        return False
    return state is not None


def restored(checkpoint: str) -> None:
    """Go on from the state of a checkpoint that has just been restored, if it is usable.

    Not at once, but as soon as the program comes to the loop that it was in when it saved.
    """
    global _pending  # noqa: PLW0603  # once for each process
    if not is_ours() or _has_trained or "://" in checkpoint:
        return
    try:
        state = state_file.read(checkpoint)
        if state is None:
            if f"{os.sep}.keras{os.sep}" not in checkpoint:  # of Keras' own, trained elsewhere
                _unsaid.append(
                    f"{checkpoint} has no state beside it: random numbers and data begin anew"
                )
            return
        _refuse_others(state)
        armed = _pending is not None
        _pending = checkpoint, state
        if state["loop"] is None:
            go_on()
        elif "fit" not in state["loop"] and not armed:
            entry.when_entered(state["loop"], go_on)
    except FileNotFoundError:
        return
    except Exception as error:  # noqa: BLE001  # as above
        _unsaid.append(_refusal(checkpoint, error))


def _refuse_others(state: dict[str, Any]) -> None:
    for what, value in _identity().items():
        if state.get(what) != value:
            raise state_file.RefusedError(f"it is of another {what}")


def _refusal(checkpoint: str, error: Exception) -> str:
    return (
        f"{state_file.beside(checkpoint)} is not used: {_why(error)}; "
        "random numbers and data begin anew"
    )


def epochs_to_come() -> int:
    """Return how many epochs are done of the fit that will go on from the state that waits."""
    if _pending is None:
        return 0
    fits = [kept for _, *rest in _pending[1]["parts"]["fit"].values() for kept in rest]
    return max((fit["epoch"] + 1 for kept in fits for fit in kept.values()), default=0)


def awaits_fit(name: str) -> bool:
    """Return whether a state waits for the fit of this name to go on from it."""
    if _pending is None or not (_pending[1]["loop"] or {}).get("fit"):
        return False
    path, _, number = name.rpartition("#")
    _, *kept = _pending[1]["parts"]["fit"].get(path, (0,))
    return bool(kept) and number in kept[0]


def go_on() -> None:
    """Restore the state that waits for it, whole or not at all."""
    global _pending  # noqa: PLW0603  # as above
    if _pending is None:
        return
    checkpoint, state = _pending
    _pending = None
    note_training()
    parts = state["parts"]
    before = {name: part.save() for name, part in PARTS.items()}
    try:
        for name, part in PARTS.items():
            part.restore(parts[name])
        if state["unseen"]:
            _say(
                f"{checkpoint}: {state['unseen']} random ops had been traced before anything was "
                "known to save, and begin again"
            )
    except Exception as error:  # noqa: BLE001  # as above
        for name, part in PARTS.items():
            part.restore(before[name])
        _say(_refusal(checkpoint, error))


@contextlib.contextmanager
def round_of_callbacks() -> Iterator[None]:
    """Save the states of the checkpoints that are saved inside again at the end.

    Callbacks are called one after the other, and those after the one that saves have not done yet
    what belongs to the epoch.
    """
    _rounds.append([])
    try:
        yield
    finally:
        written = _rounds.pop()
    for checkpoint in dict.fromkeys(written):
        if os.path.lexists(state_file.beside(checkpoint)):  # it may have been pruned
            saved(checkpoint)


def guarded(function: Callable[..., None]) -> Callable[..., None]:
    """Return the function: what it raises costs a line, and the training goes on."""

    def safe(*args: Any) -> None:
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001  # as above
            _say(f"not all of the training's state is restored: {_why(error)}")

    return safe
