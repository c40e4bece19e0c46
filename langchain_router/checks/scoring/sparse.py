"""Rows of mostly zeros, as far as a regression needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """A table of rows that are mostly zeros.

    Attributes:
        starts: Where each row begins among the entries, and at last how many entries there are.
        columns: Of every entry.
        values: Of every entry.
        width: How many columns there are.
    """

    starts: NDArray[np.int64] = field(repr=False)
    columns: NDArray[np.int32] = field(repr=False)
    values: NDArray[np.float32] = field(repr=False)
    width: int

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """How many entries each row has."""
        return np.diff(self.starts)

    @cached_property
    def row_of(self) -> NDArray[np.int64]:
        """The row of every entry."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def times(self, weights: Floats) -> Floats:
        """Return each row's product with the weights of the columns, exact to some six digits.

        Example:
            >>> make_rows([([0, 2], [1.0, 2.0]), ([], [])], 3).times(np.array([1.0, 1.0, 10.0]))
            array([21.,  0.])
        """
        products = weights.astype(np.float32)[self.columns]
        products *= self.values
        return _sums(products, self.starts[:-1], self.lengths)

    def turned_times(self, residuals: Floats) -> Floats:
        """Return each column's product with the residuals of the rows, exact to some six digits."""
        rows, values, starts, lengths = self._turned
        products = residuals.astype(np.float32)[rows]
        products *= values
        return _sums(products, starts, lengths)

    @cached_property
    def _turned(self) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """The entries in the order of their columns: their rows and values, and where each column lies."""
        keys = self.columns.astype(np.uint16) if self.width <= 1 << 16 else self.columns  # sorted much faster
        order = np.argsort(keys, kind="stable")
        lengths = np.bincount(self.columns, minlength=self.width)
        starts = np.cumsum(lengths) - lengths
        return self.row_of[order], self.values[order], starts, lengths

    def pick(self, chosen: NDArray[np.int64]) -> Rows:
        """Return some of the rows, in the order given."""
        lengths = self.lengths[chosen]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        entries = np.repeat(self.starts[:-1][chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        return Rows(
            starts=starts, columns=self.columns[entries], values=self.values[entries], width=self.width
        )

    def scaled(self, scales: Floats) -> Rows:
        """Return the rows with each column multiplied by its scale; columns of scale 0 are taken out.

        Example:
            >>> make_rows([([0, 2], [1.0, 2.0])], 3).scaled(np.array([5.0, 1.0, 0.0])).values
            array([5.], dtype=float32)
        """
        stays = scales != 0
        kept = stays[self.columns]
        columns = self.columns[kept]
        counts = np.bincount(self.row_of[kept], minlength=len(self))
        return Rows(
            starts=np.concatenate(([0], np.cumsum(counts))),
            columns=(np.cumsum(stays) - 1)[columns].astype(np.int32),
            values=(self.values[kept] * scales[columns]).astype(np.float32),
            width=int(stays.sum()),
        )


def _sums(products: NDArray[np.float32], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Floats:
    """Return the sum of each run of products; of an empty one, 0."""
    sums = np.zeros(len(starts))
    some = np.flatnonzero(lengths)
    if len(some):
        sums[some] = np.add.reduceat(products, starts[some])
    return sums


def make_rows(rows: Sequence[tuple[ArrayLike, ArrayLike]], width: int) -> Rows:
    """Return rows given as their entries' columns and values.

    Args:
        rows: Of each its columns and values.
        width: How many columns there are.
    """
    columns = [np.asarray(places, np.int32) for places, _ in rows]
    starts = np.concatenate(([0], np.cumsum([len(one) for one in columns]))).astype(np.int64)
    if not rows:
        return Rows(starts=starts, columns=np.zeros(0, np.int32), values=np.zeros(0, np.float32), width=width)
    return Rows(
        starts=starts,
        columns=np.concatenate(columns),
        values=np.concatenate([np.asarray(values, np.float32) for _, values in rows]),
        width=width,
    )
