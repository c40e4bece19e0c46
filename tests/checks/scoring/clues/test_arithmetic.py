"""Sums as models write them: what holds, what does not, and what is left alone."""

from __future__ import annotations

import pytest

from langchain_router.checks.scoring.clues.arithmetic import sums_in

RIGHT = (
    "16 - 3 - 4 = 9",
    "She sells 16 eggs - 3 eggs = 13 eggs a day.",
    "3*60=180 meters",
    "13 * $2 = $26.",
    "$8 + $5.50 = $13.50",
    "10 / 3 = 3.33",
    "10 / 3 = 3",
    "2 / 3 \u2248 0.67",
    "20% of 50 = 10",
    "75 / 100 = 75%",
    "1,200 + 300 = 1,500",
    "(2 + 3)(4) = 20",
    "2^10 = 1024",
    "**3 * 4 = 12**",
    r"\(3 \times 4 = 12\)",
    r"\frac{1}{2} \times 10 = 5",
    "16 - 3 - 4 = <<16-3-4=9>>9 eggs",
    "60 minutes / 4 minutes per mile = 15 miles",
    "30 seconds x 2 = 60 seconds",
    "7 plus 8 equals 15",
    "- 5 + 3 = 8",
    "5 * 3\n= 15",
    "-4 * -2 = 8",
)

WRONG = (
    "16 - 3 - 4 = 8",
    "13 * $2 = $27",
    "12 * 12 = 1,440",
    "10 / 3 = 3.35",
    "20% of 50 = 12",
    r"\(3 \times 4 = 13\)",
    "2 x 3 = 7",
)

LEFT_ALONE = (
    "Let x + 4 = 12.",
    "2x + 3 = 15",
    "x2 + 3 = 5",
    "a[3] = 5",
    "y = 7",
    "at 3:30 + 2 = 5",
    "12345678901234567890 + 1 = 3",
    "1 / 0 = 5",
    "There are 5 apples and 3 pears.",
    "5 + = 7",
)


@pytest.mark.parametrize("text", RIGHT)
def test_a_sum_that_holds_is_found_to_hold(text: str) -> None:
    found = sums_in(text)
    assert found
    assert all(one.holds for one in found)


@pytest.mark.parametrize("text", WRONG)
def test_a_sum_that_does_not_hold_is_found_out(text: str) -> None:
    assert [one.holds for one in sums_in(text)] == [False]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_not_understood_is_not_held_to_be_wrong(text: str) -> None:
    assert all(one.holds for one in sums_in(text))


def test_running_results_are_followed_from_one_to_the_next() -> None:
    found = sums_in("12 * 4 = 48 - 3 = 45, and 45 + 5 = 51.")
    assert [(one.right, one.holds) for one in found] == [(48.0, True), (45.0, True), (51.0, False)]
    assert found[0].operands == (12.0, 4.0)


def test_no_more_than_the_first_tokens_are_read() -> None:
    assert len(sums_in("1 + 1 = 2\n" * 100_000)) < 1_500
