"""What every test stands on: loopback only, no price map from the web, one simulated provider."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ["LANGCHAIN_ROUTER_STORE"] = "none"  # no test writes into the user's data directory

from langchain_router import Candidate, ChatRouter, Price
from langchain_router.signals import INTENTS
from langchain_router.testing import SimulatedModel, SimulatedProvider, cassettes

ROOT = Path(__file__).parents[1]

_PRICES = {"small": (0.1, 0.4), "large": (3.0, 15.0)}
_QUALITIES = {"small": 0.80, "large": 0.95}


def pytest_recording_configure(vcr: Any) -> None:
    cassettes.register(vcr)


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    return cassettes.options()


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    return str(ROOT / "cassettes" / Path(request.node.fspath).stem)


@pytest.fixture(autouse=True)
def no_cassette_miss(vcr: Any) -> Iterator[None]:
    with cassettes.fail_on_miss(vcr):
        yield


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[SimulatedProvider]:
    models = [
        SimulatedModel(
            name=name,
            input_usd_per_million=price[0],
            output_usd_per_million=price[1],
            latency_s=0.01,
            output_tokens_per_s=1_000,
            skill=dict.fromkeys(INTENTS, _QUALITIES[name]),
        )
        for name, price in _PRICES.items()
    ]
    with SimulatedProvider(models) as provider:
        yield provider


@pytest.fixture
def provider(shared_provider: SimulatedProvider) -> Iterator[SimulatedProvider]:
    """The simulated provider, with `small` and `large`, healthy again after each test."""
    yield shared_provider
    for model in shared_provider.models:
        shared_provider.heal(model)


CandidatesAt = Callable[..., list[Candidate]]


@pytest.fixture(scope="session")
def candidates_at() -> CandidatesAt:
    """Builds the candidates `small` and `large`, LiteLLM strings that point at a base URL."""

    def build(base_url: str, **options: Any) -> list[Candidate]:
        given: Mapping[str, Any] = {
            "api_base": base_url,
            "api_key": "key-in-a-test",
            "timeout": 10,
            **options,
        }
        return [
            Candidate(
                name=name,
                model=f"openai/{name}",
                options=given,
                provider="simulated",
                price=Price.per_million(input_usd=price[0], output_usd=price[1]),
                context_tokens=100_000,
                capabilities=frozenset({"tool_calling", "structured_output"}),
                quality=_QUALITIES[name],
            )
            for name, price in _PRICES.items()
        ]

    return build


@pytest.fixture
def router(provider: SimulatedProvider, candidates_at: CandidatesAt) -> ChatRouter:
    """A router over `small` and `large` that sends everyday requests to `small`."""
    return ChatRouter(candidates=candidates_at(provider.base_url), quality=0.75)
