"""What happens at the start of every interpreter: read the settings, and arm the hooks.

Whoever comes first does it, once: sitecustomize, or the .pth file that stands in where the user's
own sitecustomize hides ours. Everything here is paid by every `python -c pass`, so it imports no
more than it must.
"""

# The two modules behind importlib, which are there at every start; importlib itself is not.
import _frozen_importlib
import _frozen_importlib_external
import os
import sys

from tf_repro import environment, hooks, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import NoReturn

# os.EX_CONFIG of sysexits.h: something was found in an unconfigured or misconfigured state.
EXIT_WRONG_SETTING = 78

# The folder that `tf-repro audit` wants the notes of every process in.
AUDIT = "TF_REPRO_AUDIT"

# The folder that `tf-repro verify` wants the record of every process in.
RECORD = "TF_REPRO_RECORD"

# Module that is awaited -> file in tf_repro/sources that knows what to do with it.
WATCHED = {
    "random": "random",
    "numpy": "numpy",
    "numpy.random": "numpy",
    "multiprocessing.process": "multiprocessing",
    "multiprocessing.pool": "multiprocessing",
    "concurrent.futures.process": "multiprocessing",
    "concurrent.futures.thread": "multiprocessing",
    "loky.process_executor": "multiprocessing",
    "joblib.externals.loky.process_executor": "multiprocessing",
    "joblib.parallel": "multiprocessing",
    "IPython.core.interactiveshell": "ipython",
    "cupy": "cupy",
    "cupy.random": "cupy",
    "jax": "jax",
    "keras.src.engine.data_adapter": "keras",
    "keras.engine.data_adapter": "keras",
    "keras.src.trainers.data_adapters.py_dataset_adapter": "keras",
    "keras.src.mixed_precision.policy": "keras",
    "keras.mixed_precision.policy": "keras",
    "keras.src.dtype_policies.dtype_policy": "keras",
    "torch": "torch",
    "tensorflow.python.data.ops.dataset_ops": "tensorflow_data",
    "tensorflow": "tensorflow",
    "tensorflow.python.framework.random_seed": "tensorflow",
    "tensorflow.python.ops.gen_logging_ops": "tensorflow",
    "tensorflow.python.ops.gen_math_ops": "tensorflow",
    "tensorflow.python.ops.image_ops_impl": "tensorflow",
    "tensorflow.python.ops.nn_ops": "tensorflow",
    "tensorflow.python.ops.stateful_random_ops": "tensorflow",
}


# Those whose environment has to be right before they are executed.
WATCHED_BEFORE = ("cupy", "jax", "numpy", "torch")


def _source_hook(source: str, table: str) -> "hooks.Hook":
    def hook(module: "ModuleType") -> None:
        try:
            handlers = getattr(__import__(f"tf_repro.sources.{source}", fromlist=(table,)), table)
            handlers[module.__name__](module)
            if table == "ON_IMPORT" and AUDIT in os.environ:
                _recorder().on_import(module)
        except Exception as error:  # noqa: BLE001  # a release that we do not know, perhaps
            warn(f"{module.__name__} is not covered: {type(error).__name__}: {error}")

    return hook


_started = False
_armed = False


def is_armed() -> bool:
    """Return whether the libraries of this process are seeded as they are imported."""
    return _armed


def _recorder() -> "ModuleType":
    from tf_repro import recorder  # noqa: PLC0415  # only under tf-repro audit

    return recorder


def _follow_training() -> None:
    from tf_repro import recording  # noqa: PLC0415  # only under tf-repro verify

    recording.install()


def _streams() -> "ModuleType":
    from tf_repro import streams  # noqa: PLC0415  # half a millisecond, for those who draw or fork

    return streams


def arm(chosen: settings.Settings) -> None:
    """Make the libraries that are imported from now on (or are already) draw from the seed."""
    global _armed  # noqa: PLW0603  # once for each process, and a process has no better place
    settings.current = chosen
    if _armed:
        streams = _streams()
        streams.start_over(chosen.seed)
        streams.reseed_all()
        return
    _armed = True
    # The parent has imported what the child then only looks up: in a child, an import may wait for
    # ever for the lock of a thread that is no more.
    os.register_at_fork(
        before=lambda: _streams().before_fork(), after_in_child=lambda: _streams().after_fork()
    )
    for name, source in WATCHED.items():
        before = _source_hook(source, "BEFORE_IMPORT") if name in WATCHED_BEFORE else None
        hooks.on_import(name, _source_hook(source, "ON_IMPORT"), before)
    if AUDIT in os.environ:
        _recorder().install()


def warn(line: str) -> None:
    """Write one line on stderr, where sys.stderr may not be there yet."""
    os.write(2, f"tf-repro: {line}\n".encode("utf-8", "backslashreplace"))


def stop(line: str) -> "NoReturn":
    """End this interpreter with one line on stderr.

    SystemExit would become a "Fatal Python error" with a traceback while site is imported.
    """
    warn(line)
    os._exit(EXIT_WRONG_SETTING)


def once() -> None:
    """Do it all, the first time; never break the start, save to end it on a wrong setting."""
    global _started  # noqa: PLW0603  # as above
    if _started:
        return
    _started = True
    try:
        environment.adopt(os.environ)
        chosen = settings.read(os.environ)
        environment.refuse(chosen, os.environ)
        if environment.may_need_restart(chosen):
            from tf_repro import reexec  # noqa: PLC0415  # in a container, hardly anybody does

            if not reexec.finish():
                reexec.begin_again(chosen)
        environment.apply(chosen, os.environ)
        settings.current = chosen
        if chosen.mode != "off":
            arm(chosen)
        if RECORD in os.environ:
            _follow_training()
    except settings.SettingsError as error:
        stop(str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not stop the program
        warn(f"not active in this process: {type(error).__name__}: {error}")


def set_up(seed: int) -> None:
    """Do what tf_repro.setup_reproducibility promises."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= settings.MAX_SEED:
        raise ValueError(f"seed must be a whole number from 0 to {settings.MAX_SEED}, not {seed!r}")
    mode = settings.read(os.environ).mode
    # A call is plainer than a variable that is off.
    chosen = settings.Settings(settings.DEFAULT_MODE if mode == "off" else mode, seed)
    environment.refuse(chosen, os.environ)
    environment.apply(chosen, os.environ)
    arm(chosen)


def _may_hold(entry: str, name: str) -> bool:
    if entry.endswith((".zip", ".egg")):
        return True
    for suffix in ("", ".py", ".pyc"):
        try:
            os.stat(f"{entry}/{name}{suffix}")  # noqa: PTH116  # pathlib costs 4 ms
        except (OSError, ValueError):
            continue
        return True
    return False


def chain_load(name: str, file: str) -> None:
    """Run the next module called `name` on sys.path after the one in `file`, if there is one.

    It takes our place in sys.modules. What it raises, site reports as it always does.
    """
    here = os.path.dirname(file)  # noqa: PTH120  # pathlib costs 4 ms
    if here not in sys.path:
        return
    # Only what comes after us: a sitecustomize before us has run already, and may have called us.
    path = sys.path[sys.path.index(here) + 1 :]
    # Looking is a hundred times cheaper than asking PathFinder, which lists every folder.
    if not any(_may_hold(entry, name) for entry in path):
        return
    spec = _frozen_importlib_external.PathFinder.find_spec(name, path)
    if spec is not None and spec.loader is not None:
        module = _frozen_importlib.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
