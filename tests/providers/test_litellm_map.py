"""LiteLLM's map, read without LiteLLM: the same facts, and no zero where nothing is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from langchain_router import Price
from langchain_router.candidates.catalogue import catalogue
from langchain_router.providers import litellm_map
from langchain_router.providers.litellm_map import model_info, provider_of

ENTRY = {"litellm_provider": "acme", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A map that tests fill, in the place of LiteLLM's live one."""
    litellm = ModuleType("litellm")
    entries: dict[str, Any] = {}
    litellm.model_cost = entries  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "litellm", litellm)
    return entries


def test_the_map_is_read_without_importing_litellm() -> None:
    code = """
import json, sys
from langchain_router.providers.litellm_map import model_info
info = model_info("openai/gpt-4o-mini")
print(json.dumps([info.price.input_usd_per_token, info.context_tokens, "litellm" in sys.modules]))
"""
    done = subprocess.run(  # noqa: S603 - this interpreter, code from above
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert json.loads(done.stdout) == [1.5e-07, 128_000, False]


@pytest.mark.filterwarnings("ignore")
def test_it_agrees_with_litellm_on_every_model_of_the_catalogue() -> None:
    import litellm

    compared = 0
    for name in catalogue():
        mine = model_info(name)
        if mine is None:
            continue
        theirs = litellm.get_model_info(name)
        assert mine.price is not None
        assert mine.price.input_usd_per_token == theirs["input_cost_per_token"], name
        assert mine.price.output_usd_per_token == theirs["output_cost_per_token"], name
        assert mine.price.cached_input_usd_per_token == theirs["cache_read_input_token_cost"], name
        assert mine.context_tokens == theirs["max_input_tokens"], name
        if mine.max_output_tokens is not None:
            assert mine.max_output_tokens == theirs["max_output_tokens"], name
        for flag, ability in litellm_map._ABILITY_FLAGS.items():
            if flag in theirs:
                assert (ability in mine.capabilities) == (theirs[flag] is True), (name, flag)  # type: ignore[literal-required]
        assert mine.provider == litellm.get_llm_provider(name)[1], name
        compared += 1
    assert compared > 20


def test_a_model_is_found_with_and_without_its_provider(listed: dict[str, Any]) -> None:
    listed["fast"] = ENTRY
    bare, prefixed = model_info("fast"), model_info("acme/fast")
    assert bare == prefixed
    assert bare is not None
    assert (bare.provider, bare.price) == (
        "acme",
        Price(input_usd_per_token=1e-6, output_usd_per_token=2e-6),
    )


def test_a_model_of_the_same_name_at_another_provider_is_not_taken_for_it(listed: dict[str, Any]) -> None:
    listed["fast"] = ENTRY
    assert model_info("reseller/fast") is None
    assert model_info("slow") is None


@pytest.mark.parametrize(
    ("name", "divided", "provider"),
    [
        ("vertex_ai/some-gemini", "vertex_ai-language-models", "vertex_ai"),
        ("bedrock/some.nova-v1:0", "bedrock_converse", "bedrock"),
        ("fireworks_ai/some-model", "fireworks_ai-models", "fireworks_ai"),
    ],
)
def test_providers_that_the_map_divides_are_one(
    listed: dict[str, Any], name: str, divided: str, provider: str
) -> None:
    bare = name.partition("/")[2]
    listed[bare] = {**ENTRY, "litellm_provider": divided}
    assert model_info(name) is not None
    assert provider_of(name) == provider_of(bare) == provider


def test_real_models_at_divided_providers_have_a_price() -> None:
    for name in ("vertex_ai/gemini-2.5-flash", "bedrock/amazon.nova-lite-v1:0"):
        info = model_info(name)
        assert info is not None, name
        assert info.price is not None, name


@pytest.mark.parametrize(
    "prices",
    [
        {},
        {"input_cost_per_token": 1e-6},
        {"output_cost_per_token": 1e-6},
        {"input_cost_per_token": 0, "output_cost_per_token": 0},
        {"input_cost_per_token": 0.0, "output_cost_per_token": 1e-6},
        {"input_cost_per_token": 1e-6, "output_cost_per_token": 0},
        {"input_cost_per_token": None, "output_cost_per_token": 1e-6},
        {"input_cost_per_token": "1e-6", "output_cost_per_token": 1e-6},
        {"input_cost_per_token": -1e-6, "output_cost_per_token": 1e-6},
        {"input_cost_per_token": float("nan"), "output_cost_per_token": 1e-6},
        {"input_cost_per_token": True, "output_cost_per_token": True},
    ],
)
def test_a_price_of_which_a_part_is_missing_or_zero_is_unknown(
    listed: dict[str, Any], prices: dict[str, Any]
) -> None:
    listed["acme/fast"] = {"litellm_provider": "acme", **prices}
    info = model_info("acme/fast")
    assert info is not None
    assert info.price is None


def test_a_cache_price_of_zero_is_unknown_and_counts_as_the_full_price(listed: dict[str, Any]) -> None:
    listed["acme/fast"] = {**ENTRY, "cache_read_input_token_cost": 0}
    info = model_info("acme/fast")
    assert info is not None
    assert info.price is not None
    assert info.price.cached_input_usd_per_token is None


@pytest.mark.parametrize("provider", ["ollama", "lemonade", "lm_studio", "llamafile", "hosted_vllm"])
def test_tokens_from_ones_own_machine_cost_nothing(listed: dict[str, Any], provider: str) -> None:
    listed["own"] = {"litellm_provider": provider, "input_cost_per_token": 0, "output_cost_per_token": 0}
    info = model_info(f"{provider}/own")
    assert info is not None
    assert info.price == Price(input_usd_per_token=0, output_usd_per_token=0)


@pytest.mark.parametrize(
    ("limits", "context", "answer"),
    [
        ({"max_input_tokens": 9, "max_output_tokens": 4, "max_tokens": 4}, 9, 4),
        ({"max_tokens": 9}, 9, None),
        ({"max_input_tokens": "9 tokens", "max_output_tokens": 0}, None, None),
        ({}, None, None),
    ],
)
def test_limits_that_the_map_does_not_state_stay_unknown(
    listed: dict[str, Any], limits: dict[str, Any], context: int | None, answer: int | None
) -> None:
    listed["acme/fast"] = {**ENTRY, **limits}
    info = model_info("acme/fast")
    assert info is not None
    assert (info.context_tokens, info.max_output_tokens) == (context, answer)


def test_only_abilities_that_are_stated_count(listed: dict[str, Any]) -> None:
    listed["acme/fast"] = {**ENTRY, "supports_vision": True, "supports_function_calling": "yes"}
    info = model_info("acme/fast")
    assert info is not None
    assert info.capabilities == {"image_inputs"}


def test_models_registered_with_litellm_while_it_runs_count(listed: dict[str, Any]) -> None:
    assert model_info("acme/new") is None
    listed["acme/new"] = ENTRY
    assert model_info("acme/new") is not None


def test_a_missing_map_is_warned_of_and_leaves_prices_unknown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delitem(sys.modules, "litellm", raising=False)
    monkeypatch.setattr(litellm_map, "_MAP_FILE", "not-there.json")
    monkeypatch.setattr(litellm_map, "_map_on_disk", litellm_map._map_on_disk.__wrapped__)
    assert model_info("openai/gpt-4o") is None
    assert "price map was not found" in caplog.text


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("groq/openai/gpt-oss-20b", "groq"),
        ("anthropic/claude-sonnet-4-5", "anthropic"),
        ("gpt-4o", "openai"),
        ("nobody-knows-this", None),
    ],
)
def test_the_provider_is_the_prefix_or_what_the_map_says(name: str, provider: str | None) -> None:
    assert provider_of(name) == provider
