"""Shapes: distributions of a metric over seeds, each with mean 0 and standard deviation 1.

Synopsis:
    values = SHAPES["exponential"](rng, (1000, 5))
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Shape = tuple[int, ...]
Draw = Callable[[np.random.Generator, Shape], Array]


def _uniform(rng: np.random.Generator, size: Shape) -> Array:
    return (rng.random(size) - 0.5) * 12**0.5


def _lognormal(sigma: float) -> Draw:
    mean = np.exp(sigma**2 / 2)
    deviation = mean * np.sqrt(np.exp(sigma**2) - 1)
    return lambda rng, size: (np.exp(sigma * rng.standard_normal(size)) - mean) / deviation


def _student(freedom: int) -> Draw:
    deviation = (freedom / (freedom - 2)) ** 0.5
    return lambda rng, size: rng.standard_t(freedom, size) / deviation


def _bimodal(rng: np.random.Generator, size: Shape) -> Array:
    modes = rng.choice((-1.0, 1.0), size)
    return 0.95 * modes + (1 - 0.95**2) ** 0.5 * rng.standard_normal(size)


def _accuracy(rng: np.random.Generator, size: Shape) -> Array:
    """Right answers of 180, each with 95 %: bounded, skewed, and with ties."""
    return (rng.binomial(180, 0.95, size) - 171) / (180 * 0.95 * 0.05) ** 0.5


SHAPES: dict[str, Draw] = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "uniform": _uniform,
    "exponential": lambda rng, size: rng.exponential(size=size) - 1,
    "lognormal": _lognormal(0.5),
    "Student's t, 5": _student(5),
    "Student's t, 3": _student(3),
    "bimodal": _bimodal,
    "two values": lambda rng, size: rng.choice((-1.0, 1.0), size),
    "accuracy of 180": _accuracy,
}
"""By name. Kurtosis is at most 9, as the limits of a spread take it, but that of t with 3."""

BEYOND: dict[str, Draw] = {
    "lognormal, heavy": _lognormal(1.0),
    "rare failures": lambda rng, size: (0.05 - (rng.random(size) < 0.05)) / 0.0475**0.5,
}
"""Shapes with a kurtosis of 114 and 18, for which the judge promises nothing."""
