"""Who answers what: models with known skills, on prompts with known answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp
from typing import Protocol, TypeVar

from langchain_router.exceptions import ConfigurationError
from langchain_router.signals.types import INTENTS, Intent
from langchain_router.testing.api_errors import ApiError
from langchain_router.testing.chat_request import ChatRequest
from langchain_router.testing.hints import quoted
from langchain_router.testing.openai_api import Answer
from langchain_router.testing.phrases import draw, small_talk, wrong_answer
from langchain_router.testing.schema_instance import schema_instance
from langchain_router.testing.tool_use import tool_calls
from langchain_router.wording import kind_of

DEFAULT_SKILL = 0.5
"""Ability in an intent that a model's `skill` does not list."""

_STEEPNESS = 8.0

Kind = TypeVar("Kind")


class AnswerSource(Protocol):
    """Decides what each simulated model answers; the provider does the rest.

    Write your own to simulate something that neither `SimulatedModel` nor recorded answers can.
    """

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models on offer, in the order in which `/v1/models` lists them."""
        ...

    def answer(self, request: ChatRequest) -> Answer:
        """Answer a request for one of the models on offer, or raise `ApiError`."""
        ...

    def score(self, model: str, prompt_text: str) -> float:
        """Say how good that model's answer to that prompt is, 0..1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedModel:
    """A model that the simulated provider offers.

    Args:
        name: What requests call it.
        input_usd_per_million: Price of a million prompt tokens.
        output_usd_per_million: Price of a million answer tokens.
        latency_s: Seconds to the first token, before the provider's `time_scale`.
        output_tokens_per_s: Pace after the first token.
        skill: Ability by intent, 0 (lost) to 1 (masters it); intents not listed have 0.5.
        context_tokens: Longest prompt it accepts; a longer one is refused as the real API refuses it.

    Raises:
        ConfigurationError: If a number is out of its range or an intent is unknown.

    Example:
        >>> small = SimulatedModel(name="small", input_usd_per_million=0.15, output_usd_per_million=0.6)
        >>> small.cost_usd(input_tokens=1_000, output_tokens=500)
        0.00045
    """

    name: str
    input_usd_per_million: float
    output_usd_per_million: float
    latency_s: float = 0.5
    output_tokens_per_s: float = 80.0
    skill: Mapping[Intent, float] = field(default_factory=dict, hash=False)
    context_tokens: int = 128_000

    def __post_init__(self) -> None:
        for name in ("input_usd_per_million", "output_usd_per_million", "latency_s"):
            if not getattr(self, name) >= 0:
                raise ConfigurationError(
                    f"{name} of simulated model {self.name!r} is {getattr(self, name)!r}; write 0 or more."
                )
        if not self.output_tokens_per_s > 0 or self.context_tokens < 1:
            raise ConfigurationError(
                f"output_tokens_per_s and context_tokens of simulated model {self.name!r} must be above 0."
            )
        for intent, ability in self.skill.items():
            if intent not in INTENTS or not 0 <= ability <= 1:
                raise ConfigurationError(
                    f"skill of simulated model {self.name!r} has {intent!r}: {ability!r}; "
                    f"write one of {', '.join(INTENTS)} and an ability from 0 to 1."
                )
        object.__setattr__(self, "skill", dict(self.skill))

    def cost_usd(self, *, input_tokens: int, output_tokens: int) -> float:
        """Return what a request with so many tokens costs."""
        return (
            input_tokens * self.input_usd_per_million + output_tokens * self.output_usd_per_million
        ) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPrompt:
    """A prompt that simulated models may get right or wrong.

    Args:
        text: The prompt; known by its text without the white space around it.
        intent: What kind of request it is; decides which skill counts.
        difficulty: 0 (everyone succeeds) to 1 (only masters may).
        answer: The right answer.

    Raises:
        ConfigurationError: If the difficulty is out of range or the intent is unknown.
    """

    text: str = field(repr=False)
    intent: Intent
    difficulty: float
    answer: str = field(repr=False)

    def __post_init__(self) -> None:
        if self.intent not in INTENTS or not 0 <= self.difficulty <= 1:
            raise ConfigurationError(
                f"A simulated prompt has intent {self.intent!r} and difficulty {self.difficulty!r}; "
                f"write one of {', '.join(INTENTS)} and a difficulty from 0 to 1."
            )


def probability_right(*, skill: float, difficulty: float) -> float:
    """Return how probably a model of that skill answers a prompt of that difficulty rightly.

    Item response theory's one-parameter logistic model (Rasch, 1960): the log-odds of success are
    ability minus difficulty. Both are given as 0..1 here and stretched by 8 onto Rasch's scale, so

        P(right) = 1 / (1 + exp(-8 * (skill - difficulty)))

    Equal skill and difficulty make a coin toss; half the scale of lead makes 98 %.

    Example:
        >>> round(probability_right(skill=0.9, difficulty=0.4), 3)
        0.982
    """
    return 1 / (1 + exp(-_STEEPNESS * (skill - difficulty)))


def instances(what: str, given: Iterable[Kind], kind: type[Kind]) -> tuple[Kind, ...]:
    """Return what was given as a tuple.

    Raises:
        ConfigurationError: It is no list of that kind.
    """
    hint = f"write {what}=[{kind.__name__}(...)]"
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ConfigurationError(f"{what} must be a list, got {kind_of(given)}; {hint}.")
    found = tuple(given)
    for one in found:
        if not isinstance(one, kind):
            raise ConfigurationError(f"{what} must hold {kind.__name__}s, got {kind_of(one)}; {hint}.")
    return found


class SkilledAnswers:
    """Answers from models with known skills.

    Whether a model is right on a known prompt is drawn once from (seed, model, prompt): the same in every
    run and whatever else was asked. Prompts it does not know get small talk that repeats nothing of them,
    a tool call where the request calls for one, or an instance of the requested JSON schema.

    Args:
        models: The models on offer; their names must differ.
        prompts: The prompts with known answers; their texts must differ.
        seed: Another seed makes other prompts go wrong.
    """

    def __init__(
        self, models: Iterable[SimulatedModel], prompts: Iterable[SimulatedPrompt] = (), *, seed: int = 0
    ) -> None:
        models, prompts = tuple(models), tuple(prompts)
        self._models = {model.name: model for model in models}
        self._prompts = {prompt.text.strip(): prompt for prompt in prompts}
        self._seed = seed
        if not models or len(self._models) < len(models):
            raise ConfigurationError(
                f"Write at least one simulated model, each with its own name: {[m.name for m in models]!r}."
            )
        if len(self._prompts) < len(prompts):
            raise ConfigurationError(
                f"{len(prompts) - len(self._prompts)} simulated prompt(s) repeat the text of another."
            )

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models on offer, in the order given."""
        return tuple(self._models)

    def answer(self, request: ChatRequest) -> Answer:
        """Answer with a tool call, the tools' results, the known prompt's answer or small talk."""
        model = self._models[request.model]
        if request.prompt_tokens > model.context_tokens:
            raise ApiError(
                400,
                f"This model's maximum context length is {model.context_tokens} tokens. However, your "
                f"messages resulted in {request.prompt_tokens} tokens. Please reduce their length.",
                code="context_length_exceeded",
                param="messages",
            )
        prompt = self._prompts.get(request.last_user_text.strip())
        forced = request.tool_choice == "required"
        calls = tool_calls(request) if prompt is None or forced else ()
        return Answer(
            text="" if calls else self._text(model, prompt, request),
            tool_calls=calls,
            latency_s=model.latency_s,
            output_tokens_per_s=model.output_tokens_per_s,
        )

    def score(self, model: str, prompt_text: str) -> float:
        """Return 1 when that model's answer to that known prompt is right, else 0.

        Raises:
            ConfigurationError: If the model or the prompt is not known.
        """
        prompt = self._prompts.get(prompt_text.strip())
        if model not in self._models or prompt is None:
            raise ConfigurationError(
                f"No score: model {model!r} or the prompt is not known; there are {len(self._prompts)} "
                f"prompts for the models {', '.join(self._models)}."
            )
        return float(self._is_right(self._models[model], prompt))

    def _is_right(self, model: SimulatedModel, prompt: SimulatedPrompt) -> bool:
        skill = model.skill.get(prompt.intent, DEFAULT_SKILL)
        chance = probability_right(skill=skill, difficulty=prompt.difficulty)
        return draw(self._seed, model.name, prompt.text) < chance

    def _text(self, model: SimulatedModel, prompt: SimulatedPrompt | None, request: ChatRequest) -> str:
        key = (self._seed, model.name, request.last_user_text)
        if request.tool_results:
            said = f"According to the tool: {'; '.join(request.tool_results)}"
        elif prompt is None:
            said = ""
        else:
            right = self._is_right(model, prompt)
            said = prompt.answer if right else wrong_answer(prompt.answer, key)
        if request.json_schema is None and not request.json_mode:
            return said or small_talk(key)
        return _as_json(said, request)


def _as_json(said: str, request: ChatRequest) -> str:
    """Say it in the JSON shape that the request wants; an answer that is JSON already stays as it is."""
    if said and _is_json_object(said):
        return said
    hint = said or request.last_user_text
    if request.json_schema is not None:
        value = schema_instance(request.json_schema, text=hint)
    else:
        keys = [name for name in quoted(request.last_user_text) if name.isidentifier()] or ["answer"]
        value = schema_instance({"properties": {key: {"type": "string"} for key in keys}}, text=said)
    return json.dumps(value, ensure_ascii=False)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
