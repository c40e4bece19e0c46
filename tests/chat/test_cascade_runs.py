"""A cascade in a trace: one chain run, every call below it counted once, and an outcome on the answer."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler, get_usage_metadata_callback
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool

from langchain_router import Candidate, Price, RoutingDecision
from langchain_router.outcomes.records import Outcome
from tests.chat.speaking import (
    DRAFT,
    FINAL,
    WAYS,
    AsksTwo,
    AsyncTokens,
    Tokens,
    Tracer,
    Way,
    by_ainvoke,
    by_invoke,
    cascade,
    draft,
    final,
    plain,
    runs_of,
    tier,
)

CALLS = ["draft", "second", "judge"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passes", [True, False])
async def test_a_cascade_is_one_chain_run_with_every_call_below_it(way: Way, *, passes: bool) -> None:
    tracer = Tracer()
    await way(cascade(AsksTwo(passes=passes)), {"callbacks": [tracer]})
    calls = CALLS if passes else [*CALLS, "answer"]
    assert sorted(runs_of(tracer)) == sorted(("llm", role, True) for role in calls)


@pytest.mark.parametrize("way", WAYS)
async def test_each_run_says_what_it_was_for(way: Way) -> None:
    tracer = Tracer()
    await way(cascade(AsksTwo(passes=False)), {"callbacks": [tracer], "tags": ["mine"], "metadata": {"m": 1}})
    (root,) = tracer.roots
    tags = {run.extra["metadata"]["router_role"]: set(run.tags or ()) for run in root.child_runs}
    assert {role: {tag for tag in found if "router" in tag} for role, found in tags.items()} == {
        "draft": {"langchain_router", "langchain_router:draft"},
        "second": {"langchain_router", "langchain_router:second"},
        "judge": {"langchain_router", "langchain_router:judge"},
        "answer": {"langchain_router"},
    }
    assert all("mine" in found for found in tags.values())
    assert [role for role, found in tags.items() if "nostream" in found] == ["judge"]
    assert all(run.extra["metadata"]["m"] == 1 for run in root.child_runs)
    decisions = {run.extra["metadata"]["router_decision_id"] for run in root.child_runs}
    assert len(decisions) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passes", [True, False])
async def test_usage_callbacks_count_every_call_once(way: Way, *, passes: bool) -> None:
    counted, shown = UsageMetadataCallbackHandler(), Tokens()
    with get_usage_metadata_callback() as around:
        await way(cascade(AsksTwo(passes=passes)), {"callbacks": [counted, shown]})
    once = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
    calls = CALLS if passes else [*CALLS, "final"]
    assert counted.usage_metadata == dict.fromkeys(calls, once)
    assert around.usage_metadata == dict.fromkeys(calls, once)
    assert len(shown.ended) == len(calls)


class _CountsAndShows(UsageMetadataCallbackHandler):
    """Counts usage, and shows tokens besides; so it is kept from drafts' tokens, but not from their cost."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[str] = []

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.tokens.append(token)

    def on_stream_event(self, event: Any, **_: Any) -> None:
        self.tokens.append((event.get("delta") or {}).get("text", ""))


@pytest.mark.parametrize("way", WAYS)
async def test_a_handler_that_counts_and_shows_counts_what_it_is_not_shown(way: Way) -> None:
    handler = _CountsAndShows()
    await way(cascade(AsksTwo(passes=False)), {"callbacks": [handler]})
    assert handler.usage_metadata.keys() == {*CALLS, "final"}
    assert "".join(handler.tokens) in {FINAL, ""}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passes", [True, False])
async def test_the_answer_bears_every_attempt_with_its_verdict_and_cost(way: Way, *, passes: bool) -> None:
    answer = await way(cascade(AsksTwo(passes=passes)), {})
    outcome = json.loads(json.dumps(answer.response_metadata["router_outcome"]))
    by_role = {attempt["role"]: attempt for attempt in outcome["attempts"]}
    prices = {"draft": 1.0, "second": 2.0, "judge": 3.0, **({} if passes else {"answer": 10.0})}
    assert by_role.keys() == prices.keys()
    for role, price in prices.items():
        assert (by_role[role]["input_tokens"], by_role[role]["output_tokens"]) == (10, 4)
        assert by_role[role]["cost_usd"] == pytest.approx(14 * price / 1e6)
    assert by_role["draft"]["verdict"] == {
        "passed": passes,
        "score": 0.9 if passes else 0.1,
        "reason": "as told",
    }
    assert "verdict" not in by_role["judge"]
    assert outcome["cost_usd"] == pytest.approx(sum(14 * price / 1e6 for price in prices.values()))
    assert outcome["status"] == "ok"
    assert outcome["served_by"] == ("draft" if passes else "final")
    assert answer.response_metadata["router"]["served_by"] == outcome["served_by"]
    assert answer.response_metadata["router"]["decision_id"] == outcome["decision_id"]


@pytest.mark.parametrize("way", WAYS)
async def test_no_text_of_the_request_or_an_answer_is_in_what_the_answer_bears(way: Way) -> None:
    answer = await way(cascade(AsksTwo(passes=False)), {})
    borne = json.dumps([answer.response_metadata["router"], answer.response_metadata["router_outcome"]])
    assert not re.search("Hello|drafty|secondary|judgment|finally|Judge this", borne)


@pytest.mark.parametrize("way", WAYS)
async def test_the_outcome_is_told_once(way: Way) -> None:
    told: list[tuple[RoutingDecision, Outcome]] = []
    router = cascade(AsksTwo(passes=False), on_outcome=lambda *one: told.append(one))
    answer = await way(router, {})
    ((decision, outcome),) = told
    assert outcome.to_dict() == answer.response_metadata["router_outcome"]
    assert decision.id == answer.response_metadata["router"]["decision_id"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_run_id_and_a_name_are_those_of_the_chain_run(way: Way) -> None:
    tracer, run_id = Tracer(), uuid4()
    await way(
        cascade(AsksTwo(passes=False)), {"callbacks": [tracer], "run_id": run_id, "run_name": "my cascade"}
    )
    (root,) = tracer.roots
    assert (root.id, root.name) == (run_id, "my cascade")
    assert len({root.id, *(run.id for run in root.child_runs)}) == 5


@pytest.mark.parametrize("way", WAYS)
async def test_the_answers_id_leads_to_the_run_that_gave_it(way: Way) -> None:
    tracer = Tracer()
    answer = await way(cascade(False), {"callbacks": [tracer]})
    (run,) = (r for r in tracer.roots[0].child_runs if r.extra["metadata"]["router_role"] == "answer")
    assert UUID(answer.id.removeprefix("lc_run--").removesuffix("-0")) == run.id


@pytest.mark.parametrize("way", [by_invoke, by_ainvoke])
async def test_a_cascade_in_a_chain_stays_below_the_chains_run(way: Way) -> None:
    tracer = Tracer()
    chain = ChatPromptTemplate.from_messages([("human", "{input}")]) | cascade(False) | StrOutputParser()
    assert await way(chain, {"callbacks": [tracer]}) == FINAL
    (root,) = tracer.roots
    assert [run.name for run in root.child_runs] == ["ChatPromptTemplate", "ChatRouter", "StrOutputParser"]
    assert len(root.child_runs[1].child_runs) == 2


@pytest.mark.parametrize("way", WAYS)
async def test_a_plan_without_checks_opens_no_chain_run(way: Way) -> None:
    tracer = Tracer()
    await way(plain(draft(), final()), {"callbacks": [tracer]})
    assert [run.run_type for run in tracer.roots] == ["llm"]


@pytest.mark.parametrize("way", WAYS)
async def test_the_chain_run_fails_with_the_request(way: Way) -> None:
    tracer = Tracer()
    broken = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await way(cascade(True, draft(broken), final()), {"callbacks": [tracer]})
    (root,) = tracer.roots
    assert "a bug" in (root.error or "")
    assert [run.error is not None for run in root.child_runs] == [True]


# --- in the middle of other runs -----------------------------------------------------------------


@tool
def population(city: str) -> int:
    """Return the population of a city."""
    return len(city)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passes", [True, False])
async def test_within_another_run_every_call_is_still_heard_once(way: Way, *, passes: bool) -> None:
    tracer, handler = Tracer(), _CountsAndShows()
    bound = cascade(AsksTwo(passes=passes)).bind_tools([population])

    async def asks(_: Any) -> Any:
        return await way(bound, {})

    await RunnableLambda(asks).ainvoke("Hello", {"callbacks": [tracer, handler]})
    (outer,) = tracer.roots
    (root,) = outer.child_runs
    tags = {run.extra["metadata"]["router_role"]: run.tags for run in root.child_runs}
    assert tags.keys() == {*CALLS, *([] if passes else ["answer"])}
    assert [role for role, found in tags.items() if "nostream" in (found or ())] == ["judge"]
    once = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
    assert handler.usage_metadata == dict.fromkeys(CALLS if passes else [*CALLS, "final"], once)
    assert "".join(handler.tokens) in {DRAFT if passes else FINAL, ""}


@pytest.mark.filterwarnings("ignore:The method .* is in beta")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [lambda: final().model, lambda: plain(final()), lambda: cascade(False)])
async def test_callbacks_and_tags_given_replace_those_around_the_call(way: Way, make: Any) -> None:
    """As with any chat model; LangChain takes what surrounds a call only where nothing is given."""
    around, given = Tracer(), Tracer()

    async def asks(_: Any) -> Any:
        return await way(make(), {"callbacks": [given], "tags": ["given"], "metadata": {"by": "given"}})

    config: RunnableConfig = {"callbacks": [around], "tags": ["around"], "metadata": {"by": "around"}}
    await RunnableLambda(asks).ainvoke("Hello", config)
    (root,), (outer,) = given.roots, around.roots
    assert outer.child_runs == []
    for run in (root, *root.child_runs):
        assert "around" not in (run.tags or ())
        assert run.extra["metadata"]["by"] == "given"


# --- a cascade within a cascade ------------------------------------------------------------------


def nested(*, inner_passes: bool, outer_passes: bool) -> Any:
    inner = Candidate(
        model=cascade(inner_passes, draft(), final()),
        name="inner",
        price=Price.per_million(input_usd=1, output_usd=1),
    )
    return cascade(outer_passes, inner, tier("outermost", "outermost"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("inner_passes", "outer_passes", "said"),
    [(True, True, DRAFT), (False, True, FINAL), (False, False, "outermost")],
)
async def test_a_cascade_within_a_cascade_is_heard_once(
    way: Way, *, inner_passes: bool, outer_passes: bool, said: str
) -> None:
    shown, ashown, tracer = _CountsAndShows(), AsyncTokens(), Tracer()
    answer = await way(
        nested(inner_passes=inner_passes, outer_passes=outer_passes),
        {"callbacks": [shown, tracer, *([ashown] if "_a" in way.__name__ else [])]},
    )
    assert answer.text == said
    assert "".join(shown.tokens) in {said, ""}
    assert "".join(ashown.tokens) in {said, ""}
    calls = sum((1, not inner_passes, not outer_passes))
    assert len(shown.usage_metadata) == calls
    assert len([run for run in _all_runs(tracer) if run.run_type == "llm"]) == calls


@pytest.mark.parametrize("way", WAYS)
async def test_the_runs_of_an_inner_cascade_name_their_own_candidates(way: Way) -> None:
    tracer = Tracer()
    await way(nested(inner_passes=False, outer_passes=True), {"callbacks": [tracer]})
    named = [run.extra["metadata"]["router_candidate"] for run in _all_runs(tracer) if run.run_type == "llm"]
    assert named == ["draft", "final"]


def _all_runs(tracer: Tracer) -> list[Any]:
    (root,) = tracer.roots
    found, left = [], [root]
    while left:
        run = left.pop(0)
        found.append(run)
        left += sorted(run.child_runs, key=lambda one: one.start_time)
    return found
