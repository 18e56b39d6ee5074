"""Print a line of JSON for what this process sees of its processor, and one for each row.

As in `python3 -m battery ops --sample`. A row has a digest, or the error that kept it from one.
"""

import argparse
import importlib
import json
import os
import time
from collections.abc import Iterator, Sequence

from . import processor
from .case import Case, digest

# What runs in a process of its own: XLA compiles for minutes where it is emulated, and may hang.
PARTS = {
    "arrays": ("arrays",),
    "ops": ("elementwise", "algebra", "networks", "signals", "layers", "graphs", "uncommon"),
    "xla": ("compiled",),
    "trainings": ("trainings",),
}
# What TensorFlow says while it compiles would stand between the lines.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def computed(case: Case) -> dict[str, object]:
    """Return the row of a case."""
    row: dict[str, object] = _named(case)
    started = time.monotonic()
    try:
        row["digest"] = digest(case.compute())
    except Exception as error:  # noqa: BLE001 - no kernel of that type, and whatever else
        row["error"] = f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    row["seconds"] = round(time.monotonic() - started, 3)
    return row


def _named(case: Case) -> dict[str, object]:
    return {"row": case.name, "type": case.kind, "size": case.size}


def chosen(part: str, *, sample: bool) -> Iterator[Case]:
    """Yield the cases of a part, or of its sample."""
    for name in PARTS[part]:
        cases = importlib.import_module(f"{__package__}.{name}").cases()
        yield from (case for case in cases if case.sample or not sample)


def left(cases: Sequence[Case], ended: int | None) -> Iterator[dict[str, object]]:
    """Yield the rows that a process before this one has not printed.

    Args:
        cases: all of them.
        ended: which of them ended that process, from 0; it is not tried again, in no size.
    """
    fatal = None if ended is None else cases[ended]
    for number, case in enumerate(cases[ended or 0 :]):
        if fatal and (case.name, case.kind) == (fatal.name, fatal.kind):
            why = "the process" if number == 0 else f"the process, with {fatal.size}; not tried"
            yield {**_named(case), "error": f"Ended: {why}"}
        else:
            yield computed(case)


def main() -> None:
    """Print the rows of a part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--ended", type=int)
    asked = parser.parse_args()
    cases = tuple(chosen(asked.part, sample=asked.sample))
    assert len({tuple(_named(case).values()) for case in cases}) == len(cases), "a name twice"
    print(json.dumps({**processor.seen(), "rows": len(cases)}), flush=True)
    for row in left(cases, asked.ended):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
