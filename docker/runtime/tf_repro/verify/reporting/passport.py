"""A verified run's passport: where it ran and what came out, for another machine or day."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_repro import committed
from tf_repro.tracking.run_passport import VERSION
from tf_repro.verify.comparing import weights
from tf_repro.verify.reading import records
from tf_repro.verify.reading.records import Run
from tf_repro.verify.running.run import CannotRunError

# Where `tf-repro verify` leaves it, if nobody says where.
NAME = "tf-repro-passport.json"
# What the command was run as, and where its process lived: of a run, and of no other machine.
_OF_ONE_RUN = ("environment.argv",)


def of(run: Run, verified: "dict[str, Any] | None" = None) -> "dict[str, Any]":
    """Return the passport of a recorded run.

    Args:
        run: its record.
        verified: with how many others it was compared, and the verdict.
    """
    last = run.steps[-1] if run.steps else None
    return {
        "tf_repro_passport": VERSION,
        "command": run.ended.command,
        "environment": {**run.header, "revision": run.ended.revision},
        "verified": verified or {},
        "results": {
            "exit_status": run.ended.exit_status,
            "steps": len(run.steps),
            "last_loss": last.loss_bits if last else "",
            "last_weights_digest": b"".join(last.weights).hex() if last else "",
            "metrics": run.epochs[-1]["logs"] if run.epochs else {},
            "final_weights": weights.digest(run),
        },
    }


def read(path: Path) -> "dict[str, Any]":
    """Read a passport, or make the one of a recorded run out of its folder.

    Raises:
        CannotRunError: it is neither, or one of another version.
    """
    if path.is_dir():
        return of(records.read(path))
    try:
        found: dict[str, Any] = json.loads(committed.text_of(path))
        version = found["tf_repro_passport"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotRunError(f"{path}: not a passport ({error})") from error
    if version != VERSION:
        raise CannotRunError(f"{path}: version {version}; this tf-repro reads {VERSION}")
    for part in ("environment", "results"):
        if not isinstance(found.get(part), dict):
            raise CannotRunError(f"{path}: not a passport (it has no {part})")
    return found


def compare(one: "dict[str, Any]", other: "dict[str, Any]") -> "tuple[str, bool]":
    """Return what differs, the environments first, and whether the results are the same."""
    moved = differing(around(one), around(other))
    results = differing(*results_of_both(one, other))
    lines = promise(one["environment"], other["environment"])
    lines += (
        [f"the environments differ in {len(moved)}:", *moved]
        if moved
        else ["the environments are the same"]
    )
    if results:
        lines += ["", f"the results differ in {len(results)}:", *results]
    else:
        lines += ["", "the results are identical, to the bit"]
    return "\n".join(lines) + "\n", not results


def promise(one: "dict[str, Any]", other: "dict[str, Any]") -> "list[str]":
    """Say first whether equal bits are promised at all."""
    clusters = [environment.get("cluster") or {} for environment in (one, other)]
    if clusters[0] != clusters[1]:
        named = (_sizes(cluster) for cluster in clusters)
        return [
            f"no equal bits are promised: {' and '.join(named)}, and another number of workers is "
            "another result",
            "",
        ]
    reaches = [environment.get("reach", "anywhere") for environment in (one, other)]
    apart = [name for name in ("cpu", "cpus") if one.get(name) != other.get(name)]
    if "machine" not in reaches or not (apart or reaches[0] != reaches[1]):
        return []
    return [
        f"no equal bits are promised: the reaches are {' and '.join(reaches)}, and machine "
        "promises those of one kind of machine and one number of CPUs",
        "",
    ]


def _sizes(cluster: "dict[str, int]") -> str:
    """Return a cluster's sizes in words.

    >>> _sizes({"ps": 1, "worker": 2})
    'a cluster of 1 ps, 2 worker'
    """
    tasks = ", ".join(f"{count} {kind}" for kind, count in cluster.items())
    return f"a cluster of {tasks}" if tasks else "no cluster"


def results_of_both(
    one: "dict[str, Any]", other: "dict[str, Any]"
) -> "tuple[dict[str, str], dict[str, str]]":
    """Return the results of two passports, flat, but for those that one of them knows nothing of.

    A run that left its passport with a tracker has counted no steps.
    """
    both = one["results"].keys() & other["results"].keys()
    flats = [
        flat({name: value for name, value in passport["results"].items() if name in both})
        for passport in (one, other)
    ]
    return flats[0], flats[1]


def around(passport: "Mapping[str, Any]") -> "dict[str, str]":
    """Return the command and the environment, flat, without what is of one run alone."""
    kept = {name: passport.get(name) for name in ("command", "environment")}
    return {name: text for name, text in flat(kept).items() if name not in _OF_ONE_RUN}


def differing(one: "dict[str, str]", other: "dict[str, str]") -> "list[str]":
    """Return a line for each leaf that is not the same in two flat structures."""
    names = dict.fromkeys([*one, *other])
    return [
        f"  {name}: {one.get(name, '(none)')} -> {other.get(name, '(none)')}"
        for name in names
        if one.get(name) != other.get(name)
    ]


def flat(value: Any, name: str = "") -> "dict[str, str]":
    """Return a structure of plain JSON as lines: where in it, and what is there.

    >>> flat({"cpu": "A", "threads": {"intra_op": 2}, "gpus": ["B", "C"]})
    {'cpu': 'A', 'threads.intra_op': '2', 'gpus': 'B C'}
    """
    if isinstance(value, dict):
        return {
            leaf: text
            for key, inner in value.items()
            for leaf, text in flat(inner, f"{name}.{key}" if name else str(key)).items()
        }
    if isinstance(value, list):
        return {name: " ".join(map(str, value))}
    return {name: str(value)}
