"""A request is lost only when no candidate could have served it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_router.checks.base import as_check
from tests.execution.walks import WORDS, World, priced

word = st.sampled_from(["yes", *WORDS])

SURVIVED = {"down", "wait", "late", "auth", "malformed"}


@settings(deadline=None)
@given(
    st.lists(
        st.lists(word.filter(lambda one: one not in ("no", "unusable")), min_size=1, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_a_request_is_lost_only_when_no_candidate_could_have_served_it(said: list[list[str]]) -> None:
    world, names = World(), "abcde"[: len(said)]
    for name, words in zip(names, said, strict=True):
        world.says(name, *(WORDS[one]() for one in words))
    first = [words[0] for words in said]
    decisive = next((place for place, one in enumerate(first) if one not in SURVIVED), None)
    try:
        served = world.serve(*names)
    except Exception:  # noqa: BLE001 - only whether it is raised matters
        assert decisive is None or first[decisive] != "yes"
    else:
        if decisive is not None:
            assert served.served_by == names[decisive]
            assert world.called == list(names[: decisive + 1])
        else:
            assert world.called[: len(names)] == list(names), "everybody new before anybody again"
    assert len(world.calls) <= max(3, len(names))


@settings(deadline=None)
@given(
    said=st.lists(st.sampled_from(["yes", "no", *SURVIVED, "bad"]), min_size=2, max_size=5),
    busy=st.sets(st.integers(0, 4)),
    open_=st.sets(st.integers(0, 4), max_size=3),  # as many further calls as a lone request may make
)
def test_a_draft_or_a_healthy_candidate_means_that_there_is_an_answer(
    said: list[str], busy: set[int], open_: set[int]
) -> None:
    world, names = World(), "abcde"[: len(said)]
    plan = []
    for place, (name, one) in enumerate(zip(names, said, strict=True)):
        world.says(name, WORDS[one]())
        candidate = priced(name, max_concurrency=1)
        if place in open_:
            world.failed_before(candidate, times=5)
        if place in busy and place not in open_:
            ticket = world.gates.admit(candidate)
            assert ticket is not None
            free_at_the_first_sleep(world, ticket)
        check = as_check(lambda _, answer: answer.text == "yes") if place < len(said) - 1 else None
        plan.append((candidate, check) if check else candidate)
    try:
        served = world.serve(*plan)
    except Exception:  # noqa: BLE001 - only whether it is raised matters
        assert "yes" not in said or "bad" in said
        assert "no" not in said or "bad" in said
    else:
        assert served.answer.text in ("yes", "no")
    assert len(world.outcomes) == 1


def free_at_the_first_sleep(world: World, ticket: Any) -> None:
    sleep = world.sleep

    def sleep_and_free(seconds: float) -> None:
        sleep(seconds)
        ticket.neutral()

    world.sleep = sleep_and_free  # type: ignore[method-assign]
