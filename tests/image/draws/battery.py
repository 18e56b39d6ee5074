"""Pairs of draws that an ordinary image keeps apart. Prints, for each, how alike they are.

A line is "pair <name> <correlation> <share of equal values> <digest of both>", or "failed <name>
<why>". The share counts equal values at the same place, for floats and for many-valued integers.
"""

import hashlib
import sys

import functions  # noqa: F401  # puts its pairs into the table, as do the next three
import layers  # noqa: F401
import made_in_graphs  # noqa: F401
import numpy as np
import pipelines  # noqa: F401
from pairs import PAIRS, N


def compare(name: str, one: object, two: object) -> None:
    """Print how alike two draws are."""
    a, b = (np.ravel(np.asarray(each, dtype="float64")) for each in (one, two))
    shorter = min(len(a), len(b))
    a, b = a[:shorter], b[:shorter]
    assert shorter >= N // 2, shorter
    correlation = np.corrcoef(a, b)[0, 1]
    few = len(np.unique(a)) < N // 4  # the two values of a mask are equal half of the time
    equal = 0.0 if few else np.mean(a == b)
    digest = hashlib.sha256(a.tobytes() + b.tobytes()).hexdigest()[:16]
    print("pair", name, f"{correlation:.3f}", f"{equal:.3f}", digest, flush=True)


def main() -> None:
    """Run the pairs that are named, or all."""
    for name in sys.argv[1:] or PAIRS:
        try:
            compare(name, *PAIRS[name]())
        except Exception as error:  # noqa: BLE001  # the others are to run, too
            print("failed", name, type(error).__name__, " ".join(str(error).split())[:300])


if __name__ == "__main__":
    main()
