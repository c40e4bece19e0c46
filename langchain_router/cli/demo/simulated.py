"""The project's own prompts on simulated models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.catalogue import catalogue
from langchain_router.candidates.price import Price
from langchain_router.cli.demo.prompts import own_prompts
from langchain_router.cli.demo.traffic import Traffic, Usage, loopback_options
from langchain_router.signals import Intent
from langchain_router.testing import SimulatedModel, SimulatedPrompt, SimulatedProvider, probability_right

_TIME_SCALE = 0.02

# The models of the seed article's landscape table, by the name that the demo gives them.
_ARTICLE_MODELS = {
    "gemini-flash": ("gemini/gemini-1.5-flash", 0.075, 0.30, 0.4, 0.78),
    "gpt-4o-mini": ("openai/gpt-4o-mini", 0.15, 0.60, 0.6, 0.82),
    "claude-haiku": ("vertex_ai/claude-3-haiku@20240307", 0.25, 1.25, 0.5, 0.80),
    "claude-sonnet": ("vertex_ai/claude-3-5-sonnet@20240620", 3.00, 15.00, 1.8, 0.93),
    "gpt-4o": ("openai/gpt-4o", 5.00, 15.00, 2.1, 0.94),
}


class SimulatedTraffic(Traffic):
    """The project's own prompts on simulated models.

    The simulated models are as able as the catalogue believes, averaged over the prompts of each intent;
    which prompts are hard, and on which a model fails, the router does not know. The figures show how
    the router works. They prove nothing about real models.
    """

    premium = "gpt-4o"

    def __init__(self, *, limit: int | None = None) -> None:
        prompts = own_prompts(limit)
        figures = {name: _article_figures(name) for name in _ARTICLE_MODELS}
        models = [_simulated_model(name, figures[name], prompts) for name in _ARTICLE_MODELS]
        self._provider = SimulatedProvider(models, prompts=prompts, time_scale=_TIME_SCALE).start()
        self.name = "simulated"
        self.title = f"{len(prompts)} prompts written for this project, on a SIMULATED provider"
        self.notes = (
            "The provider is simulated: a real HTTP server on this machine, made-up answers, nothing spent.",
            "Prices, latencies and average quality follow the seed article's landscape table.",
            f"It answers {1 / _TIME_SCALE:.0f} times as fast as the models it plays.",
        )
        self.prompts = [prompt.text for prompt in prompts]
        self.candidates = [
            Candidate(
                name=name,
                model=f"openai/{name}",
                options=loopback_options(self._provider),
                provider="simulated",
                price=_price(name),
                context_tokens=128_000,
                capabilities=frozenset({"tool_calling", "structured_output"}),
                latency_s=_ARTICLE_MODELS[name][3],
                quality=_ARTICLE_MODELS[name][4],
                quality_by_intent=figures[name],
            )
            for name in _ARTICLE_MODELS
        ]

    def score(self, candidate: str, prompt: str) -> float | None:
        """Ask the simulated provider, which knows whether its answer was right."""
        return self._provider.score(candidate, prompt)

    def cost_usd(self, candidate: str, prompt: str, usage: Usage) -> float | None:  # noqa: ARG002 - as Traffic
        """Price the tokens that the provider counted."""
        price = _price(candidate)
        return price.cost_usd(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)

    def close(self) -> None:
        """Stop the provider."""
        self._provider.close()


def _article_figures(name: str) -> Mapping[Intent, float]:
    listed = catalogue().get(_ARTICLE_MODELS[name][0])
    if listed is not None:
        return listed.quality_by_intent
    # Gemini 1.5 Flash is gone from LiteLLM's map; its neighbour in quality stands in.
    return catalogue()["vertex_ai/claude-3-haiku@20240307"].quality_by_intent


def _simulated_model(
    name: str, figures: Mapping[Intent, float], prompts: Sequence[SimulatedPrompt]
) -> SimulatedModel:
    _, input_usd, output_usd, latency_s, _ = _ARTICLE_MODELS[name]
    difficulties: dict[Intent, list[float]] = defaultdict(list)
    for prompt in prompts:
        difficulties[prompt.intent].append(prompt.difficulty)
    return SimulatedModel(
        name=name,
        input_usd_per_million=input_usd,
        output_usd_per_million=output_usd,
        latency_s=latency_s,
        output_tokens_per_s=150,
        skill={intent: _skill_for(figures[intent], values) for intent, values in difficulties.items()},
    )


def _skill_for(quality: float, difficulties: Sequence[float]) -> float:
    """Return the skill with which a model answers that share of these prompts well, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(30):
        skill = (low + high) / 2
        share = fmean(probability_right(skill=skill, difficulty=difficulty) for difficulty in difficulties)
        low, high = (skill, high) if share < quality else (low, skill)
    return (low + high) / 2


def _price(name: str) -> Price:
    _, input_usd, output_usd, _, _ = _ARTICLE_MODELS[name]
    return Price.per_million(input_usd=input_usd, output_usd=output_usd)
