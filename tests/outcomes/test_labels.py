"""One label from all that was said."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router.outcomes.judgements import Allowance
from langchain_router.outcomes.labels import Said, cap_of_a_source, label_of
from langchain_router.outcomes.lessons import Label

shares = st.floats(0, 1)
said_by_some = st.lists(
    st.builds(Said, source=st.sampled_from("abcd"), key=st.sampled_from("xyz"), score=shares, weight=shares),
    max_size=6,
    unique_by=lambda said: (said.source, said.key),
)


def said(*scores: float, weight: float = 1.0) -> list[Said]:
    return [Said(source=str(n), key="user", score=score, weight=weight) for n, score in enumerate(scores)]


@pytest.mark.parametrize(
    ("scores", "score"),
    [
        ((0.85,), 0.85),
        ((0.2, 0.6), 0.4),
        ((0.0, 0.9, 1.0), 0.9),
        ((0.0, 0.0, 1.0, 1.0), 0.5),
        ((0.1,) * 7, 0.1),
    ],
)
def test_two_sources_are_averaged_and_of_more_the_middle_counts(
    scores: tuple[float, ...], score: float
) -> None:
    assert label_of(said(*scores)) == Label(score=score, weight=1.0)


def test_a_source_has_one_voice_however_often_it_speaks() -> None:
    loud = [Said(source="loud", key=str(key), score=0.0, weight=1.0) for key in range(20)]
    assert label_of([*loud, *said(1.0)]) == Label(score=0.5, weight=1.0)


def test_what_weighs_more_counts_more() -> None:
    keys = [
        Said(source="a", key=key, score=score, weight=w) for key, score, w in (("x", 1, 0.75), ("y", 0, 0.25))
    ]
    assert label_of(keys) == Label(score=0.75, weight=0.75)
    assert label_of(said(0.4, weight=0.25)) == Label(score=0.4, weight=0.25)
    assert label_of([*said(0.0, 0.1, weight=0.1), *keys]) == Label(score=0.75, weight=0.95)


def test_what_has_no_weight_says_nothing() -> None:
    assert label_of(said(1.0, weight=0.0)) is None
    assert label_of(said(1.0, weight=5e-324)) is None
    assert label_of([]) is None


@given(said_by_some)
def test_the_order_does_not_matter_and_the_score_is_between_what_was_said(all_said: list[Said]) -> None:
    labels = {label_of(one) for one in itertools.islice(itertools.permutations(all_said), 50)}
    assert len(labels) == 1
    label = labels.pop()
    if label is not None:
        scores = [one.score for one in all_said if one.weight > 1e-10]
        assert min(scores) - 1e-9 <= label.score <= max(scores) + 1e-9
        assert 0 <= label.weight <= 1


def test_the_cap_is_10_or_5_percent() -> None:
    assert [cap_of_a_source(weight) for weight in (0, 1_000, 2_000)] == [10, 50, 100]


def test_an_allowance_asks_for_the_sums_only_when_it_needs_them() -> None:
    asked: list[str] = []

    def said_by(source: str) -> float:
        asked.append(source)
        return 48.5

    def by_all() -> float:
        asked.append("all")
        return 1_040.0

    allowance = Allowance({"app"}, said_by=said_by, said_by_all=by_all)
    assert [allowance.grant("app", 1.0) for _ in range(3)] == [1.0] * 3
    assert asked == []
    assert [allowance.grant("eve", 1.0) for _ in range(4)] == [1.0, 1.0, 1.0, 0.0]
    assert asked == ["eve", "all"]
    assert allowance.grant("eve", 0.5, instead_of=1.0) == 0.5


def test_what_hooks_infer_counts_only_where_nobody_has_said_anything() -> None:
    hooks = [
        Said(source=f"hook:{key}", key=key, score=score, weight=0.5)
        for key, score in (("structured_output", 0.7), ("tool_arguments", 0.3))
    ]
    assert label_of(hooks) == Label(score=0.5, weight=0.5)
    assert label_of([*hooks, *said(1.0)]) == Label(score=1.0, weight=1.0)
