"""Student's t distribution: how far a mean of few values can be trusted.

Substituting t = sqrt(df) tan(x) turns its density into a power of a cosine, which Simpson's rule
integrates to more digits than anybody prints. https://dlmf.nist.gov/8.17 (the incomplete beta)
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95
_PANELS = 2000  # even
_HALVINGS = 60  # to a double's last place


@dataclass(frozen=True)
class Mean:
    """The mean of some values, and how far it can be trusted.

    Attributes:
        mean: of the values.
        spread: their standard deviation, of a sample (n - 1).
        low: where the interval begins that holds the true mean with the probability LEVEL.
        high: where it ends.
        p: how probable a mean at least as far from 0 is if the true one is 0, from both sides.
    """

    mean: float
    spread: float
    low: float
    high: float
    p: float


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean of at least two values, by Student's t with n - 1 degrees of freedom."""
    mean, spread = statistics.fmean(values), statistics.stdev(values)
    error = spread / math.sqrt(len(values))
    degrees = len(values) - 1
    reach = quantile(0.5 + LEVEL / 2, degrees) * error
    p = 2 * (1 - cdf(abs(mean) / error, degrees)) if error else float(mean == 0)
    return Mean(mean, spread, mean - reach, mean + reach, p)


def cdf(t: float, degrees: int) -> float:
    """Return the probability of a value of at most `t`.

    >>> round(cdf(1.0, 1), 6)
    0.75
    """
    half = _integral(math.atan(abs(t) / math.sqrt(degrees)), degrees)
    return 0.5 + math.copysign(half, t)


def quantile(probability: float, degrees: int) -> float:
    """Return the value that is not exceeded with a probability of 0.5 or more, and below 1.

    >>> round(quantile(0.975, 9), 3)
    2.262
    """
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if 0.5 + _integral(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan(low)


def _integral(end: float, degrees: int) -> float:
    """Return the integral from 0 to `end` of the density, by x."""
    whole = math.gamma((degrees + 1) / 2) / (math.sqrt(math.pi) * math.gamma(degrees / 2))
    width = end / _PANELS
    heights = [max(math.cos(width * at), 0.0) ** (degrees - 1) for at in range(_PANELS + 1)]
    inner = 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2])
    return whole * width / 3 * (heights[0] + inner + heights[-1])
