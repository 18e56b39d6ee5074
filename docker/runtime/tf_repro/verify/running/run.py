"""Recording one run: a fresh process in a folder of its own, and all that it leaves."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tf_repro import environment
from tf_repro.notebook import program
from tf_repro.notebook.cells import NotebookError
from tf_repro.recording.format import Kind, rows
from tf_repro.verify.running import draws, git_commit, workspace
from tf_repro.verify.running.follow import Followed

RUN = "run.json"
FILES = "files"
STDOUT = "stdout.txt"
STDERR = "stderr.txt"
POLL_SECONDS = 0.5
RESUME = "TF_REPRO_RESUME"


@dataclass
class Ended:
    """How a run went.

    Attributes:
        exit_status: of the program; 128 + n if signal n ended it.
        seconds: from its start to its end.
        written: files that it wrote in its working folder, or below the artifacts folder.
        revision: the commit of the working folder, if there is one.
        notes: what is to be said of the program itself, as of a notebook's last run.
        killed: after which step it was killed, to be started again; 0 where it was not.
    """

    command: list[str]
    exit_status: int
    seconds: float
    written: list[str] = field(default_factory=list)
    revision: str = ""
    notes: list[str] = field(default_factory=list)
    killed: int = 0


class CannotRunError(Exception):
    """The program could not be started; the message is one line for the user."""


def record(
    command: Sequence[str],
    into: Path,
    *,
    records: Path,
    source: "Path | None" = None,
    artifacts: "Path | None" = None,
    bisect_at: "int | None" = None,
    kill_at: "int | None" = None,
    audit: bool = False,
    resumes: bool = False,
    environ: "Mapping[str, str] | None" = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Ended:
    """Run a program once and leave its record, its output and the files that it wrote in `into`.

    Args:
        command: the program and its arguments, or a notebook; it runs in a copy of the working
            folder.
        into: a new folder.
        records: the folder of all runs' records, which none of them sees.
        source: what to run in a copy of, if not the working folder.
        artifacts: a folder whose files are compared too, outside of the working folder.
        bisect_at: record every operation around this step, too; see recording/operations.
        kill_at: kill the program after this step, and start it again in the same folder.
        audit: take down which line draws what, too, as is always done for bisect_at.
        resumes: whether it is to go on from what it saves. Where nobody interrupts it, that is off
            unless the user says so: it changes no result, and the ops that a program draws by are
            recorded as they are.
        environ: the environment of the program, if not this process's own.
        on_progress: called every half second with what the record says, for people.

    Raises:
        CannotRunError: there is no such program or notebook, no copy of the working folder, or no
            folder of artifacts.
    """
    argv = _argv(command)
    into.mkdir(parents=True)
    source = source or Path.cwd()
    with tempfile.TemporaryDirectory(prefix=workspace.TEMPORARY) as folder:
        work = Path(folder) / source.name
        before = _fill(source, work, records)
        before_artifacts = workspace.state(artifacts) if artifacts else {}
        started = time.monotonic()
        given = _environ(into, environ)
        if not resumes:
            given.setdefault(RESUME, "off")
        drawn = Path(folder) / "audit"
        audit = audit or bisect_at is not None
        if audit:
            drawn.mkdir()
            given[environment.AUDIT] = str(drawn)
        if bisect_at is not None:
            given[environment.BISECT] = str(bisect_at)
        if kill_at is not None:
            _run(argv, work, into, {**given, environment.KILL: str(kill_at)}, on_progress)
        status = _run(argv, work, into, given, on_progress)
        if audit:
            draws.keep(drawn, work, into)
        if artifacts and not artifacts.is_dir():
            raise CannotRunError(f"--artifacts {artifacts}: the program has made no such folder")
        names = _keep_written(work, before, into)
        for name in workspace.written(artifacts, before_artifacts) if artifacts else ():
            assert artifacts
            names.append(f"{artifacts.name}/{name}")
            _keep(artifacts / name, into / FILES / names[-1])
        seconds = time.monotonic() - started
        ended = _ended(command, status, seconds, names, source, kill_at or 0)
    return _left(ended, into)


def record_half(
    command: Sequence[str],
    into: Path,
    *,
    kill_at: int,
    on_progress: Callable[[str], None] = lambda _: None,
) -> "Ended | None":
    """Run a program until it is killed; or to its end, where that has been done already.

    So whoever calls it twice, on one machine or on two that share a disk, has a run that was killed
    and started again. Its working folder stays beside `into` meanwhile.

    Args:
        command: as `record` takes it.
        into: where its record is to be, or begins.
        kill_at: the step after which it is killed.
        on_progress: as `record` takes it.

    Returns:
        how it ended, or None if it was killed.

    Raises:
        CannotRunError: as `record` does.
    """
    argv = _argv(command)
    work, begun = into.with_name(f"{into.name}-work"), into.with_name(f"{into.name}-begun.json")
    started = time.monotonic()
    if not begun.exists():
        into.mkdir(parents=True)
        before = _fill(Path.cwd(), work, into)
        begun.write_text(json.dumps(before))
        given = {**_environ(into), environment.KILL: str(kill_at)}
        _run(argv, work, into, given, on_progress)
        return None
    status = _run(argv, work, into, _environ(into), on_progress)
    before = {name: (one, other) for name, (one, other) in json.loads(begun.read_text()).items()}
    names = _keep_written(work, before, into)
    seconds = time.monotonic() - started
    return _left(_ended(command, status, seconds, names, Path.cwd(), kill_at), into)


def _argv(command: Sequence[str]) -> list[str]:
    try:
        return program.argv(command)
    except NotebookError as error:
        raise CannotRunError(str(error)) from error


def _fill(source: Path, work: Path, records: Path) -> workspace.State:
    try:
        return workspace.fill(source, work, records)
    except workspace.CannotCopyError as error:
        raise CannotRunError(str(error)) from error


def _environ(into: Path, environ: "Mapping[str, str] | None" = None) -> dict[str, str]:
    given = {**(environ or os.environ), environment.RECORD: str(into)}
    for name in (environment.BISECT, environment.AUDIT, environment.KILL):
        given.pop(name, None)
    return given


def _keep_written(work: Path, before: workspace.State, into: Path) -> list[str]:
    names = workspace.written(work, before)
    for name in names:
        _keep(work / name, into / FILES / name)
    return names


def _ended(
    command: Sequence[str], status: int, seconds: float, names: list[str], source: Path, killed: int
) -> Ended:
    revision, notes = git_commit.of(source), program.notes(command)
    return Ended(list(command), status, seconds, names, revision, notes, killed)


def _left(ended: Ended, into: Path) -> Ended:
    (into / RUN).write_text(json.dumps(asdict(ended), indent=1))
    return ended


def _run(
    command: Sequence[str],
    work: Path,
    into: Path,
    environ: "dict[str, str]",
    on_progress: Callable[[str], None],
) -> int:
    with (into / STDOUT).open("wb") as out, (into / STDERR).open("wb") as err:
        try:
            process = subprocess.Popen(command, cwd=work, env=environ, stdout=out, stderr=err)
        except OSError as error:
            raise CannotRunError(f"{command[0]}: {error.strerror}") from error
        watcher = threading.Thread(target=_watch, args=(process, into, on_progress), daemon=True)
        watcher.start()
        try:
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        watcher.join()
    return status if status >= 0 else 128 - status


def _watch(
    process: "subprocess.Popen[bytes]", into: Path, on_progress: Callable[[str], None]
) -> None:
    """Say how far the run is, until it ends."""
    followed = Followed(into)
    while process.poll() is None:
        on_progress(followed.look())
        time.sleep(POLL_SECONDS)


def _keep(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def read_ended(folder: Path) -> Ended:
    """Return how a recorded run went.

    Raises:
        CannotRunError: the folder holds no recorded run.
    """
    try:
        return Ended(**json.loads((folder / RUN).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise CannotRunError(f"{folder}: not a recorded run ({error})") from error


def last_words(folder: Path) -> str:
    """Return the last line that a run said on stderr, and of which cell of a notebook it is."""
    lines = (folder / STDERR).read_text(errors="replace").split("\n")
    said = next((" ".join(line.split()) for line in reversed(lines) if line.strip()), "")
    failed = (
        row
        for path in sorted(folder.glob("*.jsonl"))
        for row in rows(path.read_bytes())
        if row["kind"] == Kind.FAILED and said and row["error"].endswith(said)
    )
    cell = next(failed, None)
    return f"cell {cell['cell']}: {cell['error']}" if cell else said or "nothing on stderr"
