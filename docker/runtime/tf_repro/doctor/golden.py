"""`tf-repro doctor --golden`: does this machine give the bits that were published with the image?

The image has a battery of some hundred ops and six small trainings (/opt/tf-repro/battery), and
what they gave where they were first computed. They are computed anew as the image does by default,
whatever TF_REPRO_… is set to: that takes some 20 seconds on two CPUs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tf_repro import messages
from tf_repro.verify.command import COULD_NOT_RUN, DIFFERENT, IDENTICAL

PUBLISHED = Path("/opt/tf-repro/share/golden.json")
# The folder of the package `battery`.
BATTERY = "/opt/tf-repro"
SETTINGS = "TF_REPRO"
# So many that differ are named; --json names all.
NAMED = 5


class CannotCompareError(Exception):
    """There is nothing to compare, or it cannot be computed; the message is a line."""


def run(*, as_json: bool) -> int:
    """Compute the battery, and print whether it gave what was published.

    Returns:
        0 where it gave the same, 1 where not, 2 where it cannot be compared.
    """
    try:
        published = _published()
        outcomes: dict[str, str] = {}
        for part in published["parts"]:
            outcomes.update(computed(part))
            done = f"{len(outcomes)} of {len(published['outcomes'])}"
            messages.say(f"{done} ops and trainings are computed")
    except CannotCompareError as error:
        messages.say(str(error))
        return COULD_NOT_RUN
    differing = differences(published["outcomes"], outcomes)
    if as_json:
        whole = {
            "compared": len(published["outcomes"]),
            "differing": differing,
            "first_seen": published["first_seen"],
        }
        json.dump(whole, sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(_text(published, differing))
    return DIFFERENT if differing else IDENTICAL


def _published() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(PUBLISHED.read_text())
        known = bool(found["outcomes"] and found["parts"] and found["first_seen"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotCompareError(f"{PUBLISHED} cannot be read ({error})") from None
    if not known:
        raise CannotCompareError(
            "nothing is published to compare with: that is done for images without a GPU"
        )
    return found


def computed(part: str) -> dict[str, str]:
    """Return what the rows of a part of the battery gave: a digest, or the kind of an error.

    Raises:
        CannotCompareError: it does not even begin.
    """
    environ = {name: value for name, value in os.environ.items() if not _is_ours(name)}
    argv = [sys.executable, "-B", "-m", "battery", part, "--sample"]
    ended = subprocess.run(
        argv, cwd=BATTERY, env=environ, capture_output=True, text=True, check=False
    )
    rows = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    if not rows:
        why = ended.stderr.strip().rpartition("\n")[2]
        raise CannotCompareError(f"battery {part} exited with {ended.returncode}: {why}")
    return {
        f"{row['row']} {row['type']} {row['size']}": row.get("digest")
        or row["error"].partition(":")[0]
        for row in rows[1:]
    }


def _is_ours(name: str) -> bool:
    return name == SETTINGS or name.startswith(f"{SETTINGS}_")


def differences(published: "dict[str, str]", outcomes: "dict[str, str]") -> "list[str]":
    """Return the names of those that gave something else or nothing, in the published order."""
    return [name for name, outcome in published.items() if outcomes.get(name) != outcome]


def _text(published: "dict[str, Any]", differing: "list[str]") -> str:
    count, where = len(published["outcomes"]), f"first seen on {published['first_seen']}"
    if not differing:
        return f"the same bits as published in {count} ops and trainings, {where}\n"
    rest = len(differing) - NAMED
    return "\n".join(
        [
            f"NOT the bits that are published, {where}: {len(differing)} of {count} differ, the "
            f"first is {differing[0]}",
            *(f"       {name}" for name in differing[1:NAMED]),
            *([f"       and {rest} more: --json names them"] if rest > 0 else []),
            "`tf-repro doctor` says what of this machine and its settings decides bits",
            "",
        ]
    )
