"""`tf-repro audit`: what would be random in this program in an ordinary image?"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tf_repro import environment
from tf_repro.audit import notes
from tf_repro.notebook import program
from tf_repro.notebook.cells import NotebookError

Row = dict[str, Any]

EXPLANATIONS = {
    notes.STREAM: "would be seeded by the system; got a stream of its own",
    notes.GLOBAL_SEED: "would be seeded by the system; the global generator got the seed",
    notes.STAYS_RANDOM: "is random here too, for safety's sake",
    notes.UNORDERED: "follows the file system: sort it",
    notes.NOT_FIXED: "sets of str come out in another order in every run",
    notes.REPEATS: "draws the same in every epoch: by your own seed, or for want of another way",
}
AT_THE_SEED = """
{} interpreters of their own began at the seed, and where they ask for the same they draw the same:
TF_REPRO_SEED=<another number> in the environment of one makes it differ.
"""
# Part of a stream's name -> in which order it is drawn; what has none of them, as the program says.
ORDERS = {
    "/Dataset_": "by the key of its element",
    "while_body": "one iteration after the other",
}


def run(command: Sequence[str], *, as_json: bool) -> int:
    """Run `command`, then print what it asked for; return its exit status.

    Args:
        command: the program and its arguments.
        as_json: print JSON, and send the program's own output to stderr, so that stdout holds
            nothing else.
    """
    if os.environ.get("TF_REPRO") == "off":
        sys.stderr.write("tf-repro: audit needs the hooks that TF_REPRO=off leaves out\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, environment.AUDIT: folder}
        try:
            ended = subprocess.run(
                program.argv(command, keep=False),
                env=environ,
                stdout=sys.stderr if as_json else None,
                check=False,
            )
        except OSError as error:
            sys.stderr.write(f"tf-repro: {command[0]}: {error.strerror}\n")
            return 127
        except NotebookError as error:
            sys.stderr.write(f"tf-repro: {error}\n")
            return 2
        found = read(Path(folder))
    rows, beginners = merged(found), at_the_seed(found)
    if as_json:
        json.dump(
            {
                "command": list(command),
                "exit_status": ended.returncode,
                "interpreters_at_the_seed": beginners,
                "rows": rows,
            },
            sys.stdout,
            indent=1,
        )
        sys.stdout.write("\n")
    else:
        sys.stdout.write(table(rows) + (AT_THE_SEED.format(beginners) if beginners > 1 else ""))
    return ended.returncode if ended.returncode >= 0 else 128 - ended.returncode


def read(folder: Path) -> list[Row]:
    """Return the notes that the processes of a program left in `folder`."""
    return [
        json.loads(line)
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def at_the_seed(rows: Iterable[Row]) -> int:
    """Return how many fresh interpreters drew from the beginning of one seed, and so alike."""
    fresh = {(row["seed"], row["process"]) for row in rows if row["first_stream"].startswith(":")}
    return max(Counter(seed for seed, _ in fresh).values(), default=0)


def merged(rows: Iterable[Row]) -> list[Row]:
    """Return one row for each thing that a line asked for, whichever processes ran it."""
    rows = list(rows)
    users: dict[tuple[object, object], set[str]] = {}
    for row in rows:
        users.setdefault((row["process"], row["what"]), set()).update(row["threads"])
    out: dict[tuple[Any, ...], Row] = {}
    processes: dict[tuple[Any, ...], set[object]] = {}
    for row in rows:
        key = row["outcome"], row["file"], row["line"], row["what"]
        new = {
            name: value for name, value in row.items() if name not in ("process", "seed", "threads")
        }
        known = out.setdefault(key, {**new, "count": 0, "shared_by_threads": False})
        processes.setdefault(key, set()).add(row["process"])
        known["count"] += row["count"]
        known["processes"] = len(processes[key])
        known["first_stream"] = min(known["first_stream"], row["first_stream"], key=notes.order)
        known["last_stream"] = max(known["last_stream"], row["last_stream"], key=notes.order)
        known["shared_by_threads"] |= len(users[row["process"], row["what"]]) > 1
    return [out[key] for key in sorted(out)]


def table(rows: Sequence[Row]) -> str:
    """Return the rows for a person to read, by outcome."""
    if not rows:
        return "tf-repro: nothing in this program would be random\n"
    random = sum(row["outcome"] not in (notes.REPEATS, notes.NOT_FIXED) for row in rows)
    lines = [f"tf-repro: {random} lines of code would be random in an ordinary image"]
    for outcome, explanation in EXPLANATIONS.items():
        group = [row for row in rows if row["outcome"] == outcome]
        if not group:
            continue
        lines += ["", f"{outcome}: {explanation}"]
        wide = max(len(row["what"]) for row in group)
        for row in group:
            lines.append(
                f"  {row['what']:{wide}}  {row['count']:>7} x  {_place(row)}{_stream(row)}"
            )
    shared = [
        row for row in rows if row["shared_by_threads"] and row["outcome"] == notes.GLOBAL_SEED
    ]
    if shared:
        lines += ["", "shared by threads: whoever comes first draws first; give each its generator"]
        lines += [f"  {row['what']}  {_place(row)}" for row in shared]
    return "\n".join(lines) + "\n"


def _place(row: Row) -> str:
    return f"{row['file']}:{row['line']}" if row["line"] else str(row["file"])


def _stream(row: Row) -> str:
    first, last = row["first_stream"], row["last_stream"]
    if not first:
        return ""
    how = next((order for part, order in ORDERS.items() if part in first), "")
    streams = first if first == last else f"{first} to {last}"
    return f"  {streams}{f' ({how})' if how else ''}"
