"""Other routers' scores of prompts, where they run on this machine and ask nobody: LiteLLM's two classifiers.

They are told nothing of the models or of the data, as in use; what is measured is whether their order of
prompts says which need the better model.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

HEURISTIC: Final = "litellm_heuristic"
"""LiteLLM's default complexity classifier: its weighted score."""

TIERS: Final = "litellm_heuristic_v2"
"""Its second one: how likely it holds a failure of the lowest tier to be."""

PEERS: Final = (HEURISTIC, TIERS)
_REMEMBERED = 100_000  # prompts: a benchmark asks for each many times


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A scorer of prompts that someone else ships.

    Attributes:
        name: What it is called in reports.
        score: How much a prompt needs the better model: the higher, the more. On a scale of its own.
    """

    name: str
    score: Callable[[str], float] = field(repr=False)

    def scores(self, prompts: Sequence[str]) -> list[float]:
        """Return the score of each prompt, in order."""
        return [self.score(prompt) for prompt in prompts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Those there are.

    Attributes:
        found: What can be run.
        absent: By name, why it cannot be.
    """

    found: tuple[Peer, ...]
    absent: Mapping[str, str]


@functools.cache
def find_peers() -> Peers:
    """Return the peers that this machine can run; loads LiteLLM, which takes seconds.

    Their modules are no promise of LiteLLM's: whatever goes wrong in making or trying one leaves it out.

    Example:
        >>> peers = find_peers()  # doctest: +SKIP
        >>> sorted({peer.name for peer in peers.found} | set(peers.absent))  # doctest: +SKIP
        ['litellm_heuristic', 'litellm_heuristic_v2']
    """
    from langchain_router.providers import litellm as _  # noqa: F401 - keeps it from fetching its price map

    found, absent = [], {}
    for name, make in ((HEURISTIC, _heuristic), (TIERS, _tiers)):
        try:
            peer = Peer(name=name, score=functools.lru_cache(_REMEMBERED)(make()))
            float(peer.score("How much is 2 + 2?"))
        except Exception as error:  # noqa: BLE001 - anything: it is not ours
            absent[name] = f"{type(error).__name__} while it was made"
        else:
            found.append(peer)
    return Peers(found=tuple(found), absent=absent)


def _heuristic() -> Callable[[str], float]:
    from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter

    made: Any = ComplexityRouter
    try:
        router = made(model_name="bench", ctx=_NoRouter())
    except TypeError:  # as the parameter was called before
        router = made(model_name="bench", litellm_router_instance=_NoRouter())
    return lambda prompt: float(router.classify(prompt, None)[1])


def _tiers() -> Callable[[str], float]:
    from litellm.router_strategy.adaptive_router.classifier import classify_prompt as kind_of
    from litellm.router_strategy.complexity_router.tier_predictor import (
        TierSuccessPredictor,
        resolve_tier_artifact,
    )

    predictor: Any = TierSuccessPredictor(resolve_tier_artifact("ultrafeedback"))
    return lambda prompt: 1 - float(predictor.predict(prompt, kind_of(prompt)).probabilities[1])


class _NoRouter:
    """Stands for the router that would own the classifier: it has no deployments and knows nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _NoRouter()

    def __call__(self, *_: Any, **__: Any) -> None:
        """Answer nothing."""
