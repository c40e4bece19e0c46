"""Limits: how they are given, how they combine, and how a wrong one is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables import RunnableConfig

from langchain_router import Candidate, ChatRouter, ConfigurationError, Constraints, NoEligibleCandidateError
from langchain_router.constraints import CONSTRAINT_NAMES, take_constraints


def at(provider: str, region: str | None = None, **known: Any) -> Candidate:
    return Candidate(model=f"{provider}/house-model", name=provider, region=region, quality=0.9, **known)


def two_places(**options: Any) -> ChatRouter:
    return ChatRouter.from_models(
        at("alpha", "eu", latency_s=1.0), at("beta", "us", latency_s=3.0), **options
    )


def test_constraints_given_at_construction_hold_for_every_call() -> None:
    router = two_places(constraints=Constraints(regions=frozenset({"us"})))
    assert router.decide("Hello").chosen.name == "beta"
    assert router.decide("Hello").excluded == {"alpha": ("is at region 'eu', and only us is allowed",)}


def test_constraints_may_be_given_as_a_plain_mapping() -> None:
    assert two_places(constraints={"regions": ["us"]}).decide("Hello").chosen.name == "beta"


def test_constraints_given_per_call_hold_for_that_call_only() -> None:
    router = two_places()
    assert router.decide("Hello", providers={"beta"}).chosen.name == "beta"
    assert router.decide("Hello", providers={"alpha"}).chosen.name == "alpha"
    assert not router.decide("Hello").excluded


def test_constraints_come_through_configurable() -> None:
    config: RunnableConfig = {"configurable": {"regions": {"us"}, "thread_id": "7", "user_id": "me"}}
    assert two_places().decide("Hello", config).chosen.name == "beta"


def test_a_narrowed_copy_is_a_router_and_leaves_the_original_alone() -> None:
    router = two_places()
    narrowed = router.constrained(max_latency_s=2).constrained(regions={"eu", "us"})
    assert isinstance(narrowed, ChatRouter)
    assert list(narrowed.decide("Hello").excluded) == ["beta"]
    assert not router.decide("Hello").excluded


@pytest.mark.parametrize(
    ("wider", "reason"),
    [
        ({"regions": {"eu", "us"}}, "region"),
        ({"regions": {"us"}}, "the regions allowed have nothing in common"),
    ],
)
def test_a_call_cannot_widen_what_the_router_allows(wider: dict[str, Any], reason: str) -> None:
    router = ChatRouter.from_models(at("beta", "us"), constraints={"regions": {"eu"}})
    ways: tuple[tuple[RunnableConfig, dict[str, Any]], ...] = (({}, wider), ({"configurable": wider}, {}))
    for config, options in ways:
        with pytest.raises(NoEligibleCandidateError, match=reason):
            router.decide("Hello", config, **options)
    with pytest.raises(NoEligibleCandidateError, match=reason):
        router.constrained(**wider).decide("Hello")


def test_router_config_and_call_limits_all_hold_at_once() -> None:
    router = ChatRouter.from_models(
        *(at(name, "eu", latency_s=s) for name, s in (("one", 1.0), ("two", 2.0), ("three", 3.0))),
        constraints={"max_latency_s": 2.5},
    )
    decision = router.decide("Hello", {"configurable": {"providers": {"two", "three"}}}, regions={"eu"})
    assert decision.chosen.name == "two"
    assert set(decision.excluded) == {"one", "three"}


numbers = st.none() | st.floats(0.01, 1.0)
places = st.none() | st.frozensets(st.sampled_from(["a", "b", "c"]))
marks = st.frozensets(st.sampled_from(["x", "y"]))
any_constraints = st.builds(
    Constraints,
    max_cost_usd=numbers,
    max_latency_s=numbers,
    min_quality=numbers,
    require=st.frozensets(st.sampled_from(["tools", "vision", "audio"])),
    providers=places,
    regions=places,
    tags=marks,
)


@given(any_constraints, any_constraints)
def test_narrowing_never_widens(a: Constraints, b: Constraints) -> None:
    both = a.narrowed(b)
    assert both == b.narrowed(a)
    assert both.narrowed(a) == both == both.narrowed(b)
    for one in (a, b):
        for name in ("max_cost_usd", "max_latency_s"):
            assert (getattr(both, name) or math.inf) <= (getattr(one, name) or math.inf)
        assert (both.min_quality or 0) >= (one.min_quality or 0)
        assert both.require >= one.require
        assert both.tags >= one.tags
        for name in ("providers", "regions"):
            if getattr(one, name) is not None:
                assert getattr(both, name) <= getattr(one, name)


@given(any_constraints)
def test_narrowing_by_nothing_changes_nothing(a: Constraints) -> None:
    assert a.narrowed(Constraints()) == a == Constraints().narrowed(a)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("max_cost", "max_cost_usd"),
        ("max_latency_ms", "max_latency_s"),
        ("min_qualty", "min_quality"),
        ("region", "regions"),
        ("provider", "providers"),
        ("tag", "tags"),
        ("requires", "require"),
    ],
)
def test_a_misspelt_constraint_is_refused_with_the_right_name(written: str, meant: str) -> None:
    router = two_places()
    for refuse in (
        lambda: router.decide("Hello", None, **{written: 1}),
        lambda: router.constrained({written: 1}),
        lambda: two_places(constraints={written: 1}),
    ):
        with pytest.raises(
            ConfigurationError, match=f"'{written}' is not a constraint; did you mean '{meant}'"
        ):
            refuse()


def test_a_name_far_from_any_constraint_is_refused_with_the_list_of_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Constraints.of({"xyz": 1})
    assert all(name in str(caught.value) for name in CONSTRAINT_NAMES)
    assert "did you mean" not in str(caught.value)


def test_keys_that_are_not_even_names_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="5 is not a constraint"):
        Constraints.of({5: 1, "max_cost": 2})  # type: ignore[dict-item]


def test_options_of_a_model_are_not_mistaken_for_constraints() -> None:
    usual = [
        *(
            "temperature",
            "top_p",
            "top_k",
            "n",
            "stop",
            "seed",
            "user",
            "max_tokens",
            "max_completion_tokens",
        ),
        *("max_retries", "timeout", "logprobs", "tools", "tool_choice", "parallel_tool_calls", "model"),
        *("response_format", "reasoning_effort", "thinking", "modalities", "audio", "prediction", "store"),
        *("service_tier", "stream_options", "extra_body", "extra_headers", "strict", "verbosity"),
    ]
    options = dict.fromkeys(usual, 1)
    assert take_constraints(options) == Constraints()
    assert list(options) == usual


def test_constraints_are_taken_out_of_the_options_for_the_model() -> None:
    options = {"temperature": 0, "max_cost_usd": 0.5, "require": {"vision"}}
    taken = take_constraints(options)
    assert (taken.max_cost_usd, taken.require) == (0.5, frozenset({"image_inputs"}))
    assert options == {"temperature": 0}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"max_cost_usd": 0}, "max_cost_usd must be above 0 and finite, got 0"),
        ({"max_cost_usd": -0.5}, "-0.5"),
        ({"max_cost_usd": math.nan}, "nan"),
        ({"max_cost_usd": math.inf}, "finite, got inf. Leave it out for no limit"),
        ({"max_cost_usd": "0.01"}, "'0.01'"),
        ({"max_cost_usd": True}, "True"),
        ({"max_latency_s": 0}, "max_latency_s must be above 0"),
        ({"max_latency_s": [1]}, r"\[1\]"),
        ({"min_quality": 85}, "min_quality must be from 0 to 1, got 85"),
        ({"min_quality": -0.1}, "-0.1"),
        ({"min_quality": math.nan}, "nan"),
        (
            {"require": {"telepathy"}},
            "require holds 'telepathy', which is not a capability. Use .*tool_calling",
        ),
        ({"require": 3}, "require must be a collection of names, got 3"),
        ({"require": None}, "got None"),
        ({"providers": 3}, "providers must be a collection of names, got 3"),
        ({"providers": [""]}, "providers must hold non-empty strings, got ''"),
        ({"regions": [None]}, "regions must hold non-empty strings, got None"),
        ({"regions": [["eu"]]}, r"regions must hold non-empty strings, got \['eu'\]"),
        ({"tags": [7]}, "tags must hold non-empty strings, got 7"),
    ],
)
def test_a_wrong_value_is_refused_wherever_it_is_given(wrong: dict[str, Any], named: str) -> None:
    router = two_places()
    for refuse in (
        lambda: Constraints(**wrong),
        lambda: two_places(constraints=wrong),
        lambda: router.constrained(**wrong),
        lambda: router.decide("Hello", **wrong),
        lambda: router.decide("Hello", {"configurable": wrong}),
    ):
        with pytest.raises(ConfigurationError, match=named):
            refuse()


@pytest.mark.parametrize("wrong", [["regions"], "eu", 3])
def test_constraints_that_are_no_mapping_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="constraints must be a Constraints or a mapping"):
        two_places(constraints=wrong)


def test_a_lone_string_is_one_name_and_not_its_letters() -> None:
    given_alone: Mapping[str, Any] = {"regions": "eu", "tags": "hipaa", "require": "tools"}
    constraints = Constraints.of(given_alone)
    assert constraints.regions == frozenset({"eu"})
    assert constraints.tags == {"hipaa"}
    assert constraints.require == {"tool_calling"}


def test_a_misspelt_constraint_in_configurable_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_cost_usd"):
        two_places().decide("Hello", {"configurable": {"max_cost": 0.01}})


def test_a_constraint_given_straight_to_the_router_is_not_ignored() -> None:
    try:
        router = two_places(regions={"us"})
    except ConfigurationError as refused:
        assert "constraints=" in str(refused)  # noqa: PT017 - either refused in words, or honoured
    else:
        assert router.decide("Hello").chosen.name == "beta"
