"""Whether an answer's working holds together: its sums, where their figures come from, where they lead to."""

from __future__ import annotations

from collections.abc import Collection

from langchain_router.checks.final_answers.number import stated_number
from langchain_router.checks.scoring.clues.arithmetic import Sum, sums_in
from langchain_router.checks.scoring.clues.reading import Answer, Question, capped, numbers_in

NAMES = (
    "sums",
    "sums_wrong",
    "last_sum_wrong",
    "share_of_sums_wrong",
    "all_sums_right",
    "figures_from_nowhere",
    "share_of_figures_from_nowhere",
    "share_of_given_not_used",
    "result_is_last_sum",
    "result_is_no_sum",
    "result_is_a_given",
    "result_is_no_number",
    "result_is_negative",
    "result_is_fraction",
    "result_is_large",
    "result_is_zero_or_one",
)

_TAIL = 200
_LARGEST = 1e300
_EVERYDAY = frozenset((0.0, 1.0, 2.0, 10.0, 12.0, 24.0, 60.0, 100.0, 1000.0, 7.0, 52.0, 365.0))
_CLOSE = 1e-6


def clues(question: Question, answer: Answer) -> tuple[float, ...]:
    """Return what the sums of an answer show.

    Example:
        >>> from langchain_router.checks.scoring.clues.reading import read_answer, read_question
        >>> asked = read_question("Ann buys 3 pens at $4. How much does she pay?")
        >>> seen = dict(zip(NAMES, clues(asked, read_answer("3 * 4 = 13. The answer is 13.")), strict=True))
        >>> seen["last_sum_wrong"], seen["result_is_last_sum"]
        (1.0, 1.0)
    """
    sums = sums_in(answer.text)
    result = _result(answer)
    value = None if result is None else float(result)
    wrong = sum(not one.holds for one in sums)
    nowhere, figures = _from_nowhere(sums, question.numbers)
    used = {figure for one in sums for figure in one.operands} if sums else set(numbers_in(answer.text))
    unused = sum(not _has(used, one) for one in question.numbers)
    large = value is not None and abs(value) >= 10_000
    return (
        capped(len(sums), 12),
        capped(wrong, 4),
        float(bool(sums) and not sums[-1].holds),
        wrong / len(sums) if sums else 0.0,
        float(bool(sums) and not wrong),
        capped(nowhere, 4),
        nowhere / figures if figures else 0.0,
        unused / len(question.numbers) if question.numbers else 0.0,
        float(value is not None and bool(sums) and _same(value, sums[-1].right)),
        float(value is not None and bool(sums) and not any(_same(value, one.right) for one in sums)),
        float(value is not None and _has(question.numbers, value)),
        float(question.asked.number and value is None),
        float(value is not None and value < 0),
        float(value is not None and value != round(value)),
        float(large),
        float(value in (0.0, 1.0)),
    )


def _result(answer: Answer) -> float | None:
    """Return the number that an answer comes to: the one that it states, else the last one in it."""
    stated = answer.result
    if isinstance(stated.value, (int, float)) and not isinstance(stated.value, bool):
        return float(stated.value) if abs(stated.value) < _LARGEST else None
    if stated.marked:
        found = stated_number(stated.text[:_TAIL])
        if found is not None and abs(found.value) < _LARGEST:
            return float(found.value)
    figures = numbers_in(stated.text[-_TAIL:])
    return figures[-1] if figures else None


def _from_nowhere(sums: list[Sum], given: frozenset[float]) -> tuple[int, int]:
    """Count figures that neither the question nor a sum before gives, and all figures."""
    known = set(given)
    nowhere = figures = 0
    for one in sums:
        figures += len(one.operands)
        nowhere += sum(not _has(known, figure) and figure not in _EVERYDAY for figure in one.operands)
        known |= {one.right, one.left}
    return nowhere, figures


def _has(known: Collection[float], value: float) -> bool:
    """Say whether a value is among these, itself, as a percentage or rounded."""
    return (
        value in known or value / 100 in known or value * 100 in known or any(_same(value, k) for k in known)
    )


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= _CLOSE * max(1.0, abs(one))
