"""What may part two runs: the one vocabulary of the stages' comparison and of the operations'."""

from enum import StrEnum


class CauseKind(StrEnum):
    """A class of cause, in the words of every report."""

    STREAM = "a random stream"
    DATA = "the data pipeline"
    KERNEL = "a kernel"
    RACE = "a race between operations"
    # What the stages of a step tell.
    OPTIMISER = "the optimiser"
    BETWEEN = "outside of the step"
    OUTSIDE = "outside of training"
    # What an operation tells.
    PYTHON = "a Python function"
    VALUE = "a value from outside TensorFlow"
    VARIABLE = "a variable"
    COMPILED = "a function whose inside cannot be seen"
    NOTHING = "no operation"
