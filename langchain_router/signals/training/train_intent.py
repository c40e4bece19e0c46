"""Trains `LinearIntentClassifier`: `python -m langchain_router.signals.training.train_intent`.

Reads the prompts beside it, chooses how strongly weights are held and how much the keywords count by
cross-validation, chooses the temperature on the same held-out folds, fits on all prompts, and writes
`weights/intent.npz` with `weights/intent.json`, which says what they were made from. Nothing is drawn at
random: the same prompts give the same weights.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from langchain_core.messages import HumanMessage

from langchain_router.request import RoutingRequest
from langchain_router.signals import fitting
from langchain_router.signals.choosing import Labelled, Tried, try_all
from langchain_router.signals.keyword_intent import KeywordIntentClassifier
from langchain_router.signals.linear_intent import KIND, SHIPPED, features, log_probabilities
from langchain_router.signals.linear_weights import LinearWeights
from langchain_router.signals.ngrams import Hashed
from langchain_router.signals.training.prompt_files import PROMPTS, Example, fingerprint_of, read_prompts
from langchain_router.signals.training.validation import folds_of, importance_of
from langchain_router.signals.types import INTENTS

WEIGHTS: Final = Path(__file__).parents[1] / "weights"
KEYWORDS: Final = (1.0,)
"""The keywords count fully, so that what is learned is what they miss."""

L2: Final = (1e-5, 3e-6)


def train(
    examples: Sequence[Example], *, keywords: Sequence[float] = KEYWORDS, l2: Sequence[float] = L2
) -> tuple[LinearWeights, list[Tried]]:
    """Return weights fitted on all prompts with the choice of least held-out loss, and what was tried.

    Args:
        examples: Prompts with their intents.
        keywords: How much the keywords may count; each is tried.
        l2: How strongly weights may be held small; each is tried.
    """
    texts, data = labelled(examples)
    tried = try_all(data, keywords=keywords, l2=l2)
    best = tried[0]
    about = {
        "kind": KIND,
        "intents": list(INTENTS),
        "keywords": best.choice.keywords,
        "l2": best.choice.l2,
        "temperature": best.temperature,
        "inputs": fingerprint_of(examples),
    }
    weights = fitting.weights_of(texts, data.fit(best.choice))
    return LinearWeights.rounded(weights, about), tried


def labelled(examples: Sequence[Example]) -> tuple[list[Hashed], Labelled]:
    """Return the prompts as n-grams, and what a fit needs of them."""
    known = KeywordIntentClassifier()
    texts, told = [], []
    for one in examples:
        request = RoutingRequest(messages=(HumanMessage(one.prompt),))
        texts.append(features(request))
        told.append(log_probabilities(known.classify(request)))
    return texts, Labelled(
        gram=fitting.similarities(texts),
        told=np.array(told),
        truth=np.array([INTENTS.index(one.intent) for one in examples]),
        importance=importance_of([(one.language, one.intent) for one in examples]),
        folds=folds_of(examples),
    )


def provenance(examples: Sequence[Example], weights: LinearWeights, tried: Sequence[Tried]) -> dict[str, Any]:
    """Return what weights were made from, and how."""
    return {
        "file": SHIPPED,
        "made_by": "python -m langchain_router.signals.training.train_intent",
        "sources": [
            {
                "name": "prompts written for this project",
                "where": "langchain_router/signals/training/prompts",
                "licence": "MIT, as the project",
                "prompts": len(examples),
                "by_language": dict(sorted(Counter(one.language for one in examples).items())),
                "by_intent": dict(sorted(Counter(one.intent for one in examples).items())),
            }
        ],
        "inputs_sha256": fingerprint_of(examples),
        "weights_fingerprint": weights.fingerprint,
        "cross_validation": [
            {
                **asdict(one.choice),
                **{name: getattr(one, name) for name in ("temperature", "log_loss", "macro_f1")},
            }
            for one in tried
        ],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=Path, default=PROMPTS, help="folder of prompts")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder for the weights")
    parser.add_argument("--quick", action="store_true", help="try one choice only")
    chosen = parser.parse_args(arguments)
    examples = read_prompts(chosen.prompts)
    choices = {"l2": L2[:1]} if chosen.quick else {}
    weights, tried = train(examples, **choices)
    weights.save(chosen.out / SHIPPED)
    made = json.dumps(provenance(examples, weights, tried), indent=1, ensure_ascii=False)
    (chosen.out / "intent.json").write_text(made + "\n", encoding="utf-8")
    print(f"{len(examples)} prompts; held out: {tried[0]}; weights {weights.fingerprint}")


if __name__ == "__main__":
    main()
