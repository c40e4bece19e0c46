"""What is known about a model: what the user said, what was looked up, and what stays unknown."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError
from typing import Any, cast

import pytest
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from pydantic import Field

from langchain_router import Candidate, ConfigurationError, Price
from langchain_router.candidates.candidate import as_candidate

FREE = Price.per_million(input_usd=0, output_usd=0)


class House(FakeListChatModel):
    """A chat model that reports a provider and a name, as partner packages do."""

    responses: list[str] = Field(default_factory=lambda: ["hi"])
    provider: str = "house"
    reported: str | None = "house-1"
    headers: str = "Bearer sk-very-secret"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = LangSmithParams(ls_provider=self.provider, ls_model_type="chat")
        if self.reported:
            params["ls_model_name"] = self.reported
        return params


class HouseWithTools(House):
    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Any],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return cast("Runnable[LanguageModelInput, AIMessage]", self.bind(tools=tools, **kwargs))


def with_profile(**profile: Any) -> House:
    return House(profile=cast("ModelProfile", profile))


# --- what is looked up ------------------------------------------------------------------------------------


def test_a_model_string_is_looked_up_in_litellms_map_and_the_catalogue() -> None:
    found = Candidate(model="openai/gpt-4o-mini").resolved()
    assert found.price is not None
    assert found.price.input_usd_per_token == pytest.approx(0.15e-6)
    assert found.price.output_usd_per_token == pytest.approx(0.60e-6)
    assert found.context_tokens == 128_000
    assert found.capabilities is not None
    assert {"tool_calling", "structured_output", "image_inputs"} <= found.capabilities
    assert (found.provider, found.quality, found.latency_s) == ("openai", 0.82, 0.6)
    assert len(found.quality_by_intent) == 9


def test_what_the_user_gives_wins_over_everything_looked_up() -> None:
    mine: dict[str, Any] = {
        "name": "mini",
        "price": FREE,
        "context_tokens": 10,
        "max_output_tokens": 5,
        "capabilities": frozenset(),
        "latency_s": 9.0,
        "quality": 0.1,
        "quality_by_intent": {"reasoning": 0.2},
        "provider": "gateway",
    }
    found = Candidate(model="openai/gpt-4o-mini", **mine).resolved()
    assert {what: getattr(found, what) for what in mine} == mine


def test_the_users_overall_quality_is_not_bent_by_the_catalogues_intents() -> None:
    assert Candidate(model="openai/gpt-4o-mini", quality=0.5).resolved().quality_by_intent == {}
    with_one = Candidate(model="openai/gpt-4o-mini", quality_by_intent={"reasoning": 0.2}).resolved()
    assert (with_one.quality, with_one.quality_by_intent) == (0.82, {"reasoning": 0.2})


def test_what_nobody_knows_stays_unknown() -> None:
    found = Candidate(model="nobody/nothing").resolved()
    unknown = (
        *("price", "context_tokens", "max_output_tokens", "capabilities", "latency_s", "quality", "region"),
    )
    assert {what: getattr(found, what) for what in unknown} == dict.fromkeys(unknown)
    assert (found.quality_by_intent, found.tags) == ({}, frozenset())
    assert found.provider == "nobody"


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o-mini", "vertex_ai/claude-3-haiku@20240307", "mistral/mistral-small-2603"]
)
def test_region_and_tags_are_never_guessed(model: str) -> None:
    found = Candidate(model=model, options={"api_base": "https://eu.example.org/us-east-1"}).resolved()
    assert (found.region, found.tags) == (None, frozenset())


def test_a_remote_models_price_of_zero_in_the_map_is_unknown() -> None:
    assert Candidate(model="gemini/gemini-exp-1206").resolved().price is None


def test_a_self_hosted_model_is_free() -> None:
    assert Candidate(model="ollama/codegemma").resolved().price == FREE


# --- chat models ------------------------------------------------------------------------------------------


def test_the_profile_of_a_chat_model_is_used() -> None:
    found = Candidate(
        model=with_profile(
            max_input_tokens=9_000, max_output_tokens=900, image_inputs=True, tool_calling=False
        )
    ).resolved()
    assert (found.context_tokens, found.max_output_tokens) == (9_000, 900)
    assert found.capabilities == frozenset({"image_inputs"})
    assert (found.name, found.provider) == ("house-1", "house")


def test_image_urls_in_a_profile_mean_image_input() -> None:
    assert Candidate(model=with_profile(image_url_inputs=True)).resolved().capabilities == frozenset(
        {"image_inputs"}
    )


def test_a_class_that_binds_tools_calls_tools() -> None:
    assert Candidate(model=HouseWithTools()).resolved().capabilities == frozenset({"tool_calling"})


@pytest.mark.parametrize("elsewhere", ["api_base", "base_url", "custom_llm_provider"])
def test_a_model_string_whose_calls_go_elsewhere_has_no_provider_unless_it_is_stated(elsewhere: str) -> None:
    options = {elsewhere: "http://127.0.0.1:9/v1"}
    assert Candidate(model="openai/gpt-4o", options=options).resolved().provider is None
    assert Candidate(model="openai/gpt-4o", options=options, provider="house").resolved().provider == "house"
    assert Candidate(model="openai/gpt-4o").resolved().provider == "openai"


def test_options_that_would_leave_the_candidate_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'fallbacks', with which LiteLLM would call another model"):
        Candidate(model="openai/gpt-4o", options={"fallbacks": ["openai/gpt-4"]})


@pytest.mark.parametrize("option", ["temperature", "timeout", "max_tokens"])
def test_an_option_that_must_be_a_number_is_checked_at_once(option: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} must be a number, got 'hot'"):
        Candidate(model="openai/gpt-4o", options={option: "hot"})


def test_a_candidate_can_be_pickled_and_copied() -> None:
    candidate = Candidate(model="openai/gpt-4o", quality_by_intent={"reasoning": 0.9})
    assert pickle.loads(pickle.dumps(candidate)) == candidate == copy.deepcopy(candidate)  # noqa: S301


def test_a_profile_that_denies_tool_calling_is_believed_over_the_class() -> None:
    denied = HouseWithTools(profile=ModelProfile(tool_calling=False, structured_output=False))
    assert Candidate(model=denied).resolved().capabilities == frozenset()


def test_a_chat_model_that_says_nothing_has_unknown_abilities() -> None:
    assert Candidate(model=House()).resolved().capabilities is None


def test_a_chat_model_has_the_price_and_the_catalogue_entry_of_the_model_it_reports() -> None:
    found = Candidate(model=House(provider="openai", reported="gpt-4o-mini")).resolved()
    assert found.price == Candidate(model="openai/gpt-4o-mini").resolved().price
    assert (found.name, found.quality) == ("gpt-4o-mini", 0.82)


def test_abilities_that_a_profile_does_not_speak_of_come_from_litellms_map() -> None:
    silent = HouseWithTools(provider="openai", reported="gpt-4o-mini")
    assert "image_inputs" in (Candidate(model=silent).resolved().capabilities or ())
    blind = House(provider="openai", reported="gpt-4o-mini", profile=ModelProfile(image_inputs=False))
    assert "image_inputs" not in (Candidate(model=blind).resolved().capabilities or ())


@pytest.mark.parametrize(
    ("reported_by", "model", "provider"),
    [
        ("google_genai", "gemini-2.5-flash", "gemini"),
        ("google_vertexai", "gemini-2.5-flash", "vertex_ai"),
        ("litellm", "openai/gpt-4o", "openai"),
        ("litellm", "gpt-4o", "openai"),
    ],
)
def test_a_provider_has_one_name_however_it_is_reached(reported_by: str, model: str, provider: str) -> None:
    found = Candidate(model=House(provider=reported_by, reported=model)).resolved()
    assert found.provider == provider
    assert found.price is not None


def test_a_chat_model_without_a_name_is_called_by_its_class() -> None:
    assert Candidate(model=House(reported=None)).resolved().name == "House"


# --- the chat model, and that it is never shown ----------------------------------------------------------


def test_a_chat_model_is_handed_out_as_it_is() -> None:
    model = House()
    assert Candidate(model=model).resolved().chat_model() is model


def test_the_chat_model_of_a_string_is_made_when_first_asked_for_and_then_kept() -> None:
    code = """
import json, sys
from langchain_router import Candidate, ChatRouter
one = Candidate(model="openai/gpt-4o-mini", options={"api_key": "sk-x", "temperature": 0.25})
router = ChatRouter.from_models(one, "openai/gpt-4o")
router.decide("Hello")
before = "litellm" in sys.modules
model = router.candidates[0].chat_model()
print(json.dumps([before, "litellm" in sys.modules, model is router.candidates[0].chat_model(),
                  model.temperature, type(model).__name__]))
"""
    done = subprocess.run(  # noqa: S603 - this interpreter, code from above
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )
    assert json.loads(done.stdout) == [False, True, True, 0.25, "RouterChatLiteLLM"]


def test_repr_shows_neither_the_model_nor_its_options() -> None:
    string = Candidate(model="openai/gpt-4o", name="mine", options={"api_key": "sk-very-secret"}).resolved()
    assert "sk-very-secret" not in repr(string)
    assert "api_key" not in repr(string)
    assert repr(string).startswith("Candidate(name='mine'")
    assert "sk-very-secret" not in repr(Candidate(model=House()).resolved())


def test_candidates_are_compared_by_what_is_known_of_them_and_can_be_kept_in_sets() -> None:
    assert Candidate(model=House(), name="a") == Candidate(model="house/house-1", name="a")
    found = Candidate(model="openai/gpt-4o-mini").resolved()
    assert {found, Candidate(model="openai/gpt-4o-mini").resolved()} == {found}


def test_a_candidate_cannot_be_changed() -> None:
    candidate = Candidate(model="house/model", quality_by_intent={"reasoning": 0.2})
    with pytest.raises(FrozenInstanceError):
        candidate.price = FREE  # type: ignore[misc]
    with pytest.raises(TypeError):
        candidate.quality_by_intent["reasoning"] = 0.9  # type: ignore[index]


# --- what users write in a candidate's place --------------------------------------------------------------


def test_a_string_a_chat_model_and_a_candidate_all_become_candidates() -> None:
    given: list[str | BaseChatModel | Candidate] = [
        "openai/gpt-4o",
        House(),
        Candidate(model="house/model", name="mine"),
    ]
    assert [as_candidate(one).name for one in given] == ["openai/gpt-4o", "house-1", "mine"]


def test_shared_options_go_to_strings_only_and_a_candidates_own_win() -> None:
    assert as_candidate("house/model", temperature=1).options == {"temperature": 1}
    own = Candidate(model="house/model", options={"temperature": 0})
    assert as_candidate(own, temperature=1, timeout=5).options == {"temperature": 0, "timeout": 5}
    assert as_candidate(House(), temperature=1).options == {}


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"model": 5}, "got an int"),
        ({"model": None}, "got None"),
        ({"model": ""}, "a LiteLLM model string such as 'openai/gpt-4o-mini' .*got an empty string"),
        ({"model": House}, r"got the class House; write House\(\.\.\.\)"),
        ({"options": {"temprature": 0}}, "'temprature' is not an option .* did you mean 'temperature'"),
        ({"name": 5}, "name must be a string, got 5"),
        ({"provider": 5}, "'house/model': provider must be a string, got 5"),
        ({"region": ["eu"]}, r"region must be a string, got \['eu'\]"),
        ({"price": 0.15}, r"price must be a Price, got 0.15. Write Price.per_million"),
        ({"price": (1, 2)}, "price must be a Price"),
        ({"options": ["temperature"]}, "options must be a mapping such as {'temperature': 0}, got list"),
        ({"capabilities": {"telepathy"}}, "'house/model': capabilities holds 'telepathy', which is not"),
        ({"capabilities": 3}, "capabilities must be a collection of names, got 3"),
        ({"tags": [""]}, "tags must hold non-empty strings"),
        ({"context_tokens": 0}, "context_tokens must be 1 or more, got 0"),
        ({"context_tokens": 8192.0}, "context_tokens must be 1 or more, got 8192.0"),
        ({"context_tokens": True}, "got True"),
        ({"max_output_tokens": -1}, "max_output_tokens must be 1 or more, got -1"),
        ({"latency_s": -0.1}, "latency_s must be 0 or more, got -0.1"),
        ({"latency_s": math.nan}, "got nan"),
        ({"latency_s": math.inf}, "got inf"),
        ({"latency_s": "fast"}, "got 'fast'"),
        ({"quality": 85}, "quality must be from 0 to 1, got 85"),
        ({"quality": math.nan}, "got nan"),
        ({"quality_by_intent": 0.5}, "quality_by_intent must be a mapping of intents"),
        ({"quality_by_intent": {"poetry": 0.5}}, "holds 'poetry'; the intents are code_gen.*conversation"),
        ({"quality_by_intent": {"reasoning": 45}}, r"\['reasoning'\] must be from 0 to 1, got 45"),
        ({"quality_by_intent": {"reasoning": None}}, "got None"),
    ],
)  # fmt: skip
def test_wrong_facts_are_refused_with_the_value_and_what_to_write(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Candidate(**{"model": "house/model", **wrong})


def test_options_for_a_chat_model_that_is_already_made_are_refused_by_name() -> None:
    with pytest.raises(
        ConfigurationError, match=r"options \(api_key\) only apply to a model string"
    ) as caught:
        Candidate(model=House(), options={"api_key": "sk-very-secret"})
    assert "sk-very-secret" not in str(caught.value)


def test_known_abilities_have_short_names_too() -> None:
    assert Candidate(
        model="house/model", capabilities=frozenset({"tools", "vision", "pdf"})
    ).capabilities == frozenset(
        {
            "tool_calling",
            "image_inputs",
            "pdf_inputs",
        }
    )
