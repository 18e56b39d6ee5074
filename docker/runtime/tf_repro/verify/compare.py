"""`tf-repro compare`: two runs of different machines or days, or two images of the family.

Runs are told by their passports or their records, images by what the family publishes of them.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tf_repro.verify import verdict
from tf_repro.verify.reading import published, records
from tf_repro.verify.reading.published import Published
from tf_repro.verify.reporting import passport, terminal
from tf_repro.verify.running.run import CannotRunError

SHORT = 12  # characters that name a digest


def run(chosen: argparse.Namespace) -> bool:
    """Print what differs; return whether the results are the same.

    Raises:
        CannotRunError: one of the two cannot be read, they are no two of a kind, or no bits are
            published of an image.
    """
    paths: list[Path] = chosen.passports
    images = [path for path in paths if published.is_published(path)]
    if not images:
        return _runs(paths)
    if len(images) < len(paths):
        (run,) = (path for path in paths if path not in images)
        raise CannotRunError(f"{images[0]} tells of an image, and {run} does not: two of a kind")
    one, other = map(published.read, paths)
    sys.stdout.write("\n".join([*_packages(one, other), ""]))
    lines, same = _bits(one, other)
    sys.stdout.write("\n".join([*lines, ""]))
    return same


def _runs(paths: "list[Path]") -> bool:
    text, same = passport.compare(*map(passport.read, paths))
    sys.stdout.write(text)
    if all(path.is_dir() for path in paths):
        recorded = [records.read(path) for path in paths]
        judged = verdict.judge(recorded, tolerance=0.0, with_stdout=False)
        sys.stdout.write("\n" + terminal.render(judged))
        same = judged.identical
    return same


def _packages(one: Published, other: Published) -> Iterator[str]:
    if not (one.packages and other.packages):
        (bare, *_) = (image.name for image in (one, other) if not image.packages)
        yield f"which packages moved is not known: no lock stands beside {bare}"
        return
    moved = passport.differing(one.packages, other.packages)
    yield f"{len(moved)} packages moved{':' if moved else ''}"
    yield from moved


def _bits(one: Published, other: Published) -> "tuple[list[str], bool]":
    """Return lines that say whether the bits of the golden trainings moved, and whether not."""
    for image in (one, other):
        if not image.trainings:
            raise CannotRunError(
                f"whether the bits moved is not known: no {published.GOLDEN} is published of "
                f"{image.name}; `make golden` writes one"
            )
    lines, same = [""], True
    for name, results in one.trainings.items():
        before, after = results[0], other.trainings[name][0]
        bits = before.weights[:SHORT]
        if before.weights == after.weights:
            lines.append(f"the golden training ({name}) ends with the same bits, {bits}")
        else:
            same = False
            lines.append(
                f"the golden training ({name}) ends with other bits: {bits} -> "
                f"{after.weights[:SHORT]}, last loss {before.loss:g} -> {after.loss:g}"
            )
        lines += _seen(one, name)
        lines += _seen(other, name)
    return lines, same


def _seen(image: Published, name: str) -> Iterator[str]:
    """Yield where an image's bits were seen, the published ones first."""
    for result in image.trainings[name]:
        yield f"  {image.name}: {result.weights[:SHORT]} on {'; '.join(result.seen)}"
