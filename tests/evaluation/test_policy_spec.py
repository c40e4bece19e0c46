"""Policies as one writes them on a command line."""

from __future__ import annotations

import pytest

from langchain_router import Candidate, ChatRouter
from langchain_router.evaluation.policy_spec import SinglePolicy, policy_from
from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.scripted import ScriptedChatModel


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("cost", "CostPolicy(quality=0.85, fallback=None, objective='cost')"),
        ("cost:quality=0.9, fallback=big", "CostPolicy(quality=0.9, fallback='big', objective='cost')"),
        ("cascade", "CascadePolicy(quality=0.85)"),
        ("cascade:quality=0.7", "CascadePolicy(quality=0.7)"),
        ("lin_thompson:spread=0.5", "LinThompsonPolicy(spread=0.5, cost_weight=0.1)"),
        ("epsilon_greedy:epsilon=0.2", "EpsilonGreedyPolicy(epsilon=0.2, cost_weight=0.1)"),
        ("single:ollama/llama3:8b", "SinglePolicy('ollama/llama3:8b')"),
    ],
)
def test_a_spec_is_a_policy_with_its_parameters(spec: str, shown: str) -> None:
    assert repr(policy_from(spec)) == shown


def test_thompson_takes_all_its_numbers_and_none() -> None:
    shown = repr(policy_from("thompson:cost_weight=0.2,half_life_s=none,success_at=none"))
    assert "cost_weight=0.2" in shown
    assert "half_life_s=None" in shown
    assert "success_at=None" in shown


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("costs", "'costs' is unknown. Did you mean 'cost'"),
        ("", "Write one of adaptive:..., cascade:..., cost:..."),
        ("recorded", "unknown"),
        ("cost:", "ends after the colon"),
        ("cost:0.85", "no KEY=VALUE. Parameters of cost: quality"),
        ("cost:quality=", "no KEY=VALUE"),
        ("cost:quality=high", "quality of cost must be a number, got 'high'"),
        ("cost:quality=nan", "quality of cost must be a number"),
        ("cost:quality=1.5", "quality must be from 0 to 1, got 1.5"),
        ("cost:qualty=0.5", "no parameter 'qualty'. Did you mean 'quality'"),
        ("cost:quality=0.5,quality=0.6", "'quality' is given twice"),
        ("cost:objective=speed", "objective must be 'cost', 'latency'"),
        ("threshold:low=0.4", "threshold takes no parameters here"),
        ("single", "single:openai/gpt-4o-mini"),
        ("single: ", "single:openai/gpt-4o-mini"),
    ],
)
def test_what_is_no_policy_is_refused_with_what_there_is(spec: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        policy_from(spec)
    assert says in str(raised.value)


def test_a_single_policy_asks_its_model_first_and_is_refused_a_stranger() -> None:
    candidates = [
        Candidate(model=ScriptedChatModel(answers=[name]), name=name, region=region)
        for name, region in (("one", "eu"), ("two", "us"), ("three", "us"))
    ]
    router = ChatRouter(candidates=candidates, policy=SinglePolicy("two"), store=None)
    assert router.invoke("Hello").text == "two"
    assert router.decide("Hello", regions={"eu"}).chosen.name == "one"
    with pytest.raises(ConfigurationError, match="Did you mean 'two'"):
        ChatRouter(candidates=candidates, policy=SinglePolicy("twoo"), store=None)
