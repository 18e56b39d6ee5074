"""What happens at the start of every interpreter: read the settings, and arm the hooks.

Whoever comes first does it, once: sitecustomize, or the .pth file that stands in where the user's
own sitecustomize hides ours. Everything here is paid by every `python -c pass`, so it imports no
more than it must.
"""

import os

from tf_repro import environment, hooks, settings, sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def _source_hook(source: str, table: str, folder: str = "sources") -> "hooks.Hook":
    def hook(module: "ModuleType") -> None:
        try:
            handlers = getattr(__import__(f"tf_repro.{folder}.{source}", fromlist=(table,)), table)
            handlers[module.__name__](module)
            if table == "ON_IMPORT" and folder == "sources" and environment.AUDIT in os.environ:
                _notes().on_import(module)
        except Exception as error:  # noqa: BLE001  # a release that we do not know, perhaps
            hooks.failed(module, error)
            _messages().warn(f"{module.__name__} is not covered: {type(error).__name__}: {error}")

    return hook


_started = False
_armed = False


def is_armed() -> bool:
    """Return whether the libraries of this process are seeded as they are imported."""
    return _armed


def _notes() -> "ModuleType":
    from tf_repro.audit import notes  # noqa: PLC0415  # only under tf-repro audit

    return notes


def _follow_training() -> None:
    from tf_repro.recording import install  # noqa: PLC0415  # only under tf-repro verify

    install.install()


def _leave_passports() -> None:
    from tf_repro import tracking  # noqa: PLC0415  # for those who have asked for it

    for name, file in tracking.WATCHED.items():
        hooks.on_import(name, _source_hook(file, "ON_IMPORT", "tracking"))


def _messages() -> "ModuleType":
    from tf_repro import messages  # noqa: PLC0415  # for those who have something to say

    return messages


def _streams() -> "ModuleType":
    from tf_repro import streams  # noqa: PLC0415  # half a millisecond, for those who draw or fork

    return streams


def _see_to_the_container() -> None:
    """Make up for what a container leaves out, in every mode: none of it decides bits."""
    if os.getuid() != 0 and environment.may_lack_a_home(os.environ):
        from tf_repro.machine import home  # noqa: PLC0415  # for whom nobody has logged in

        home.give(os.environ)
    if os.getpid() == 1:
        from tf_repro.machine import first_process  # noqa: PLC0415  # for the first one alone

        first_process.end_on_sigterm()


def _listen(chosen: settings.Settings) -> None:
    if chosen.debug:
        hooks.observer = _messages().of_hook


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
    for name, source in sources.WATCHED.items():
        before = _source_hook(source, "BEFORE_IMPORT") if name in sources.WATCHED_BEFORE else None
        hooks.on_import(name, _source_hook(source, "ON_IMPORT"), before)
    identities = [_source_hook("identities", one) for one in ("ON_IMPORT", "BEFORE_IMPORT")]
    for name in sources.IDENTITIES:
        hooks.on_import(name, *identities)
    if chosen.reach == "anywhere":
        hooks.on_import(
            "tensorflow.python.pywrap_tensorflow", _source_hook("processor", "ON_IMPORT", "machine")
        )
    # Not in a cluster, whose workers save and restore together: that is not covered.
    if chosen.resume and chosen.deterministic and chosen.task is None:
        from tf_repro import resume  # noqa: PLC0415  # for modes that resume

        for name, file in resume.WATCHED.items():
            hooks.on_import(name, _source_hook(file, "ON_IMPORT", "resume"))
    if environment.AUDIT in os.environ:
        _notes().install()


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
        _listen(chosen)
        if environment.may_need_restart(chosen):
            # In a container, hardly anybody does.
            from tf_repro.machine import restart  # noqa: PLC0415  # hence not at every start

            if not restart.finish():
                restart.begin_again(chosen)
        _see_to_the_container()
        environment.apply(chosen, os.environ)
        settings.current = chosen
        hooks.be_asked()  # for the entry points, in mode off as well
        if chosen.mode != "off":
            arm(chosen)
        if environment.RECORD in os.environ:
            _follow_training()
        if chosen.track:
            _leave_passports()
    except settings.SettingsError as error:
        _messages().stop(str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not stop the program
        _messages().warn(f"not active in this process: {type(error).__name__}: {error}")


def set_up(seed: int) -> None:
    """Do what tf_repro.setup_reproducibility promises."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= settings.MAX_SEED:
        raise ValueError(f"seed must be a whole number from 0 to {settings.MAX_SEED}, not {seed!r}")
    chosen = settings.read(os.environ)
    chosen.seed = seed
    # The script's own call weighs more than a TF_REPRO=off that was set around it.
    if chosen.mode == "off":
        chosen.mode = settings.DEFAULT_MODE
    environment.refuse(chosen, os.environ)
    _listen(chosen)
    environment.apply(chosen, os.environ)
    arm(chosen)
