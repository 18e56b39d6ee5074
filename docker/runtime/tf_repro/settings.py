"""What the user asked for with TF_REPRO and its like, read once at start."""

MODES = ("deterministic", "seed", "strict", "off")
DEFAULT_MODE = "deterministic"
DEFAULT_SEED = 42
# numpy.random.seed and PYTHONHASHSEED both take 32 bits and no more.
# https://numpy.org/doc/stable/reference/random/generated/numpy.random.seed.html
MAX_SEED = 2**32 - 1
# Address-space randomisation: "off" switches it off even where a seccomp filter probably refuses
# that, "on" leaves it alone, "auto" switches it off where no filter is in force.
ASLR = ("auto", "on", "off")
# How far the bits reach: "anywhere" fixes what would follow the processor and the number of its
# cores; "machine" leaves that to the libraries, for full speed on this kind of machine.
REACHES = ("anywhere", "machine")
# Whether a training that is started again from a checkpoint goes on as if it had never stopped.
RESUME = ("on", "off")
# Whether a run leaves its passport with the tracker that the script uses.
TRACK = ("0", "1")
# A line on stderr for every hook, or none.
DEBUG = ("0", "1")


class SettingsError(ValueError):
    """A setting has a value that we do not know; the message is one line for the user."""


class Settings:
    """The checked settings of this process.

    Attributes:
        mode: one of MODES.
        seed: 0 to MAX_SEED.
        aslr: one of ASLR.
        reach: one of REACHES.
        resume: whether checkpoints are saved and restored with the state of all that is random.
        track: whether a run leaves its passport with the tracker that the script uses.
        debug: whether every hook says on stderr what it does.
        task: the path of the streams of this task of a cluster; None without one. See
            tf_repro.cluster.
    """

    __slots__ = ("aslr", "debug", "mode", "reach", "resume", "seed", "task", "track")

    def __init__(
        self,
        mode: str = DEFAULT_MODE,
        seed: int = DEFAULT_SEED,
        aslr: str = ASLR[0],
        *,
        reach: str = REACHES[0],
        resume: bool = True,
        track: bool = False,
        debug: bool = False,
        task: "str | None" = None,
    ) -> None:
        self.mode = mode
        self.seed = seed
        self.aslr = aslr
        self.reach = reach
        self.resume = resume
        self.track = track
        self.debug = debug
        self.task = task

    @property
    def deterministic(self) -> bool:
        """Whether the slower, deterministic kernels are asked for, and not only the seeds."""
        return self.mode in ("deterministic", "strict")


# The settings that are in force in this process; start sets them.
current = Settings()


def parse_choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    """Return `text`, the value of the variable `name`.

    Raises:
        SettingsError: it is none of the choices.
    """
    if text not in choices:
        raise SettingsError(f"{name}={text!r} is not known: choose one of {', '.join(choices)}")
    return text


def parse_seed(text: str) -> int:
    """Return the seed that `text` spells in decimal digits.

    Raises:
        SettingsError: it is not a whole number from 0 to MAX_SEED.
    """
    # int() would take " 42 ", "4_2" and other scripts' digits as well; the length bound keeps
    # an absurdly long text from reaching it.
    if text.isascii() and text.isdigit() and len(text.lstrip("0")) <= len(str(MAX_SEED)):
        seed = int(text)
        if seed <= MAX_SEED:
            return seed
    raise SettingsError(
        f"TF_REPRO_SEED={text!r} is not a seed: give a whole number from 0 to {MAX_SEED}"
    )


def read(environ: "os._Environ[str] | dict[str, str]") -> Settings:
    """Return the settings that `environ` asks for; what it does not name has its default.

    Raises:
        SettingsError: a value is not one that we know.
    """
    mode = parse_choice("TF_REPRO", environ.get("TF_REPRO", DEFAULT_MODE), MODES)
    return Settings(
        mode,
        parse_seed(environ.get("TF_REPRO_SEED", str(DEFAULT_SEED))),
        parse_choice("TF_REPRO_ASLR", environ.get("TF_REPRO_ASLR", ASLR[0]), ASLR),
        reach=parse_choice("TF_REPRO_REACH", environ.get("TF_REPRO_REACH", REACHES[0]), REACHES),
        resume=parse_choice("TF_REPRO_RESUME", environ.get("TF_REPRO_RESUME", RESUME[0]), RESUME)
        == "on",
        track=parse_choice("TF_REPRO_TRACK", environ.get("TF_REPRO_TRACK", "0"), TRACK) == "1",
        debug=parse_choice("TF_REPRO_DEBUG", environ.get("TF_REPRO_DEBUG", "0"), DEBUG) == "1",
        task=None if mode == "off" else _task(environ.get("TF_CONFIG")),
    )


def _task(config: "str | None") -> "str | None":
    if not config:
        return None
    from tf_repro import cluster  # noqa: PLC0415  # JSON costs a millisecond, and few are in one

    try:
        return cluster.path(config)
    except ValueError as error:
        raise SettingsError(str(error)) from None


TYPE_CHECKING = False  # importing typing costs more than all that we do at start
if TYPE_CHECKING:
    import os
