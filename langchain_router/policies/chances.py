"""How likely one of several uncertain arms is to be the best, without drawing lots."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

CHANCE_ERROR: Final = 0.002
"""How far the chances below may be from the true ones. The tests compare them with exact integrals."""

_CELLS: Final = 128
_REACH: Final = 8.0  # standard deviations to both sides; what lies beyond has a chance under 0.0004
_SMALLEST_DEVIATION: Final = 1e-9
_SMALLEST_LOG: Final = 1e-300

_PLACES: Final = (np.arange(_CELLS) + 0.5) / _CELLS
_EDGES: Final = np.arange(_CELLS + 1) / _CELLS


def beta_chance(index: int, successes: Real, failures: Real, penalty: Real) -> float:
    """Return the chance of one arm that its Beta draw, less its penalty, is the highest.

    Args:
        index: Of that arm.
        successes: First parameter of each arm's Beta distribution, 1 or more.
        failures: The second, 1 or more.
        penalty: What is taken off each arm's draw.

    Example:
        >>> one, two = np.array([1.0, 3.0]), np.array([1.0, 1.0])
        >>> round(beta_chance(0, one, two, np.zeros(2)), 2)  # uniform, against the best of three uniform ones
        0.25
    """
    total = successes + failures
    mean = successes / total
    deviation = np.sqrt(mean * (1 - mean) / (total + 1))
    low = np.maximum(mean - _REACH * deviation, 0.0)
    width = np.minimum(mean + _REACH * deviation, 1.0) - low
    draws = low[:, None] + width[:, None] * _PLACES
    logs = (successes - 1)[:, None] * np.log(np.maximum(draws, _SMALLEST_LOG))
    logs += (failures - 1)[:, None] * np.log(np.maximum(1 - draws, _SMALLEST_LOG))
    return _chance(index, logs, low - penalty, width)


def normal_chance(index: int, mean: Real, deviation: Real) -> float:
    """Return the chance of one arm that its normal draw is the highest.

    Example:
        >>> round(normal_chance(1, np.array([0.5, 0.5, 0.1]), np.array([0.1, 0.2, 0.01])), 2)
        0.5
    """
    deviation = np.maximum(deviation, _SMALLEST_DEVIATION)
    logs = np.broadcast_to(-0.5 * (2 * _REACH * _PLACES - _REACH) ** 2, (len(mean), _CELLS))
    return _chance(index, logs, mean - _REACH * deviation, 2 * _REACH * deviation)


def _chance(index: int, logs: Real, low: Real, width: Real) -> float:
    """Integrate the product of the others' distribution functions over the arm's own.

    Each distribution is a table of cells of its own size; the integral is over the edges of all of them, so
    that neither a narrow nor a wide one is seen too coarsely.

    Args:
        index: Of the arm.
        logs: Logarithm of each arm's density at the middle of its cells, up to a constant.
        low: Where each arm's cells begin.
        width: How far they reach.
    """
    masses = np.exp(logs - logs.max(axis=1, keepdims=True))
    tables = np.zeros((len(low), _CELLS + 2))  # one more, so that an edge always has a next
    np.cumsum(masses, axis=1, out=tables[:, 1:-1])
    tables[:, -1] = tables[:, -2]
    tables /= tables[:, -1:]
    edges = low[:, None] + width[:, None] * _EDGES
    first, last = low.max(), low[index] + width[index]  # below the first, some other arm is sure to be better
    places = np.sort(edges[(edges >= first) & (edges <= last)])
    at = np.clip((places - low[:, None]) * (_CELLS / width[:, None]), 0, _CELLS)
    cell = at.astype(np.intp)
    start = np.take_along_axis(tables, cell, axis=1)
    below = start + (np.take_along_axis(tables, cell + 1, axis=1) - start) * (at - cell)
    own = below[index].copy()
    below[index] = 1.0
    others = below.prod(axis=0)
    return float(np.diff(own) @ (others[1:] + others[:-1]) / 2)
