"""A few prompts on real providers."""

from __future__ import annotations

from langchain_router.candidates.candidate import Candidate
from langchain_router.chat_model import ChatRouter
from langchain_router.cli.demo.prompts import own_prompts
from langchain_router.cli.demo.traffic import Traffic, Usage

_LIVE_PROMPTS = 10


class LiveTraffic(Traffic):
    """A few of the project's own prompts on the real providers whose keys are set."""

    name = "live"

    def __init__(self, *, limit: int | None = None) -> None:
        self.candidates: tuple[Candidate, ...] = ChatRouter.auto().candidates
        self.prompts = [prompt.text for prompt in own_prompts(limit or _LIVE_PROMPTS)]
        priced = [c for c in self.candidates if c.price is not None and c.quality is not None]
        self.premium = max(priced, key=lambda c: c.quality or 0.0).name if priced else None
        self.title = f"{len(self.prompts)} prompts written for this project, on REAL providers"
        self.notes = ("Answers are real and cost money. Nobody scores them, so no quality is shown.",)

    def score(self, candidate: str, prompt: str) -> float | None:  # noqa: ARG002 - as Traffic
        """Nobody can say how good a live answer was."""
        return None

    def cost_usd(self, candidate: str, prompt: str, usage: Usage) -> float | None:  # noqa: ARG002 - as Traffic
        """Price the tokens that the provider counted."""
        price = next(c.price for c in self.candidates if c.name == candidate)
        if price is None:
            return None
        return price.cost_usd(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
