"""What figures and signs come to: `2 * (3 + 4)` is 14."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

Part = float | str
"""A figure, or one of `+ - * / ^ ( ) %`."""

_LARGEST = 1e15
_LARGEST_POWER = 64
_MINUS = "minus"  # before a figure or a bracket
_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, _MINUS: 3, "^": 4}
_WORKED = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def value_of(parts: Sequence[Part], *, percent: float = 0.01) -> float | None:
    """Return what figures and signs come to; None where they make no expression, or a huge value.

    By two stacks, one of values and one of signs (Dijkstra's shunting yard), so in one pass.

    Args:
        parts: Figures and signs. A closing bracket that was opened before them is passed over.
        percent: What a figure before `%` is multiplied by.

    Example:
        >>> value_of([2.0, "*", "(", 3.0, "+", 4.0, ")"])
        14.0
        >>> value_of([2.0, 3.0]) is None
        True
    """
    yard = _Yard(percent)
    try:
        for part in parts:
            if isinstance(part, float):
                yard.take_figure(part)
            else:
                yard.take_sign(part)
        value = yard.value()
    except (IndexError, ZeroDivisionError, OverflowError, _NoExpression):
        return None
    return value if math.isfinite(value) and abs(value) < _LARGEST else None


class _NoExpression(Exception):  # noqa: N818 - it is no error, but what the parts are
    """The parts make no expression."""


class _Yard:
    def __init__(self, percent: float) -> None:
        self._percent = percent
        self._values: list[float] = []
        self._signs: list[str] = []
        self._wants_value = True

    def take_figure(self, figure: float) -> None:
        if not self._wants_value:
            raise _NoExpression
        self._values.append(figure)
        self._wants_value = False

    def take_sign(self, sign: str) -> None:
        if sign == "%":
            self._values[-1] *= self._percent
        elif sign == "(":
            if not self._wants_value:  # (2)(3)
                self._push("*")
            self._signs.append(sign)
            self._wants_value = True
        elif sign == ")":
            self._work(0)
            if self._signs:
                self._signs.pop()
        elif not self._wants_value:
            self._push(sign)
            self._wants_value = True
        elif sign == "-":
            self._signs.append(_MINUS)
        else:
            raise _NoExpression

    def value(self) -> float:
        while self._signs:
            self._work(0)
            if self._signs:  # a bracket that is not closed
                self._signs.pop()
        if len(self._values) != 1:
            raise _NoExpression
        return self._values[0]

    def _push(self, sign: str) -> None:
        self._work(_RANK[sign])
        self._signs.append(sign)

    def _work(self, rank: int) -> None:
        """Work out what binds at least as strongly, back to the last bracket."""
        while self._signs and self._signs[-1] != "(" and _RANK[self._signs[-1]] >= rank:
            sign, right = self._signs.pop(), self._values.pop()
            if sign == _MINUS:
                self._values.append(-right)
            else:
                left = self._values.pop()
                self._values.append(_power(left, right) if sign == "^" else _WORKED[sign](left, right))


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > _LARGEST_POWER or (base < 0 and exponent != round(exponent)):
        raise OverflowError
    return float(base**exponent)
