"""What figures and signs come to, held against Python's own reading of them."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langchain_router.checks.scoring.clues.expression import value_of

EXPRESSIONS = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join),
        inner.map(lambda one: f"( {one} )"),
        inner.map(lambda one: f"- {one}"),
    ),
    max_leaves=12,
)


QUIETLY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIETLY
@given(EXPRESSIONS)
def test_it_comes_to_what_python_makes_of_it(text: str) -> None:
    assert re.fullmatch(r"[-+*/() 0-9]+", text)
    try:
        expected = float(eval(text))  # noqa: S307 - figures and signs of our own
    except (ZeroDivisionError, OverflowError):
        expected = None
    found = value_of([float(one) if one.isdigit() else one for one in text.split()])
    if expected is None or abs(expected) >= 1e15:
        assert found is None
    else:
        assert found is not None
        assert abs(found - expected) <= 1e-9 * max(1.0, abs(expected))


@QUIETLY
@given(st.lists(st.one_of(st.floats(0, 1e6), st.sampled_from("+-*/^()%")), max_size=40))
def test_whatever_the_order_of_figures_and_signs_it_never_raises(parts: list[float | str]) -> None:
    value = value_of(parts)
    assert value is None or abs(value) < 1e15
