"""Reproducible runs for unmodified training scripts. Standard library only."""

import os


def setup_reproducibility(seed: int = 42) -> None:
    """Make this process reproducible: seed what is imported, and what will be.

    Inside the image this has happened before the script's first line, and a call is only needed
    to choose another seed. Outside it, call it before the first random number is drawn. Calling
    it again starts every generator over, like any seed function.

    Args:
        seed: for every generator, 0 to 2**32-1.

    Raises:
        ValueError: the seed is out of range.
    """
    from tf_repro import start  # noqa: PLC0415  # importing a part must not arm the whole

    start.set_up(seed)


def seed_for(*names: "str | int") -> int:
    """Return a seed that follows from the base seed and these names alone, in any process.

    It is for what is one of many and is to be the same whoever works on it: a trial, a fold, a
    member of an ensemble, as in `seed_for("trial", 3, "fold", 1)`.

    Args:
        names: what to tell it from its likes by, in this order.

    Returns:
        0 to 2**32-1, as numpy.random.seed takes it.

    Raises:
        TypeError: there is no name, or one that is neither text nor a whole number.
    """
    from tf_repro import streams  # noqa: PLC0415  # as above

    return streams.seed_for(*names)


def record(name: str, tensor: object) -> None:
    """Add a point of the user's own to what `tf-repro verify` compares; nothing outside of it.

    Args:
        name: what the report calls it.
        tensor: anything that `tf.convert_to_tensor` takes, of any shape and type.
    """
    from tf_repro import environment  # noqa: PLC0415  # as above

    if environment.RECORD in os.environ:
        from tf_repro.recording import steps  # noqa: PLC0415  # it needs TensorFlow

        steps.point(name, tensor)
