"""The names of an image. Each tagger takes what is to be named and returns one tag, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scripts.matrix import Chosen, Image

# A drifted image must never be taken for the locked one (see `debs.obtain`).
DRIFTED = "-drifted"
# As many digits as Docker's own short ids have.
SHORT_DIGEST = 12


@dataclass(frozen=True)
class Subject:
    """An image that is to be named.

    Attributes:
        image: what the matrix says of it.
        newest: whether it has the family's newest TensorFlow for its device.
        config_digest: `sha256:…`, or None where it is not built yet.
    """

    image: Image
    newest: bool
    config_digest: str | None = None


Tagger = Callable[[Subject], str | None]


def release_line(subject: Subject) -> str | None:
    """Return the moving tag of a release line, as in `2.15-cpu`."""
    image = subject.image
    return f"{'.'.join(image.tensorflow.split('.')[:2])}-{image.device}"


def exact_release(subject: Subject) -> str | None:
    """Return the tag of one release, as in `2.15.1-cpu`."""
    return f"{subject.image.tensorflow}-{subject.image.device}"


def exact_bytes(subject: Subject) -> str | None:
    """Return the tag of exactly these bytes, as in `2.15.1-cpu-0123456789ab`."""
    if not subject.config_digest:
        return None
    digits = subject.config_digest.removeprefix("sha256:")[:SHORT_DIGEST]
    return f"{exact_release(subject)}-{digits}"


def latest(subject: Subject) -> str | None:
    """Return the moving tag of the newest release, as in `latest-cpu`."""
    return f"latest-{subject.image.device}" if subject.newest else None


# In a registry a fixed tag never comes to mean other bytes; a moving one does, last of all.
FIXED: tuple[Tagger, ...] = (exact_release, exact_bytes)
MOVING: tuple[Tagger, ...] = (release_line, latest)
# In the engine; the tags of bytes would keep every image of the past alive there.
LOCAL: tuple[Tagger, ...] = (release_line, exact_release, latest)


def names_of(
    chosen: Chosen,
    taggers: Sequence[Tagger] = LOCAL,
    *,
    config_digest: str | None = None,
    drifted: bool = False,
) -> tuple[str, ...]:
    """Return the full names of an image.

    Args:
        chosen: which image.
        taggers: who names it; of LOCAL, the name that people type comes first.
        config_digest: of the built image, for those taggers that need it.
        drifted: whether it is not what its lock says.
    """
    subject = Subject(chosen.image, chosen.newest, config_digest)
    suffix = DRIFTED if drifted else ""
    tags = (tagger(subject) for tagger in taggers)
    return tuple(f"{chosen.family.repository}:{found}{suffix}" for found in tags if found)
