"""Measures the first two layers on prompts whose intent or difficulty is known."""

from __future__ import annotations

import gzip
import json
import math
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from langchain_core.messages import HumanMessage

from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.signals import (
    INTENTS,
    ComplexityScorer,
    Intent,
    IntentClassifier,
    KeywordIntentClassifier,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentFigures:
    """How a classifier does on a file.

    Attributes:
        file: Its name.
        n: Its prompts.
        macro_f1: Mean F1 of the intents that occur in it.
        per_intent: F1 of each of these.
        confusion: Prompts by their label, then by what was said of them.
        keywords_macro_f1: That of the keywords on the same prompts.
        us: Microseconds per prompt, median.
    """

    file: str
    n: int
    macro_f1: float
    per_intent: Mapping[Intent, float]
    confusion: Mapping[Intent, Mapping[Intent, int]]
    keywords_macro_f1: float
    us: float

    def as_json(self) -> dict[str, Any]:
        """Return what goes into the report."""
        return {
            "file": self.file,
            "macro_f1": self.macro_f1,
            "per_intent": dict(self.per_intent),
            "confusion": {label: dict(said) for label, said in self.confusion.items()},
            "keywords_macro_f1": self.keywords_macro_f1,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultyFigures:
    """How a scorer ranks the prompts of a source.

    Attributes:
        source: Where the prompts come from.
        n: How many there are.
        spearman: Rank correlation of score and difficulty; None where either is the same for all.
        spearman_length: That of the prompt's length and difficulty.
        us: Microseconds per prompt for classifier and scorer, median over all sources.
    """

    source: str
    n: int
    spearman: float | None
    spearman_length: float | None
    us: float

    def as_json(self) -> dict[str, Any]:
        """Return what goes into the report."""
        return {
            "source": self.source,
            "spearman": self.spearman,
            "spearman_length": self.spearman_length,
            "n": self.n,
        }


def measure_intent(path: str, classifier: IntentClassifier) -> IntentFigures:
    """Compare a classifier with the labels of a file, one JSON object with `prompt` and `intent` a line.

    Raises:
        ConfigurationError: The file cannot be read, or a line lacks a prompt or has another label.
    """
    rows = [(row["prompt"], _intent(row, path)) for row in _rows(path, "intent")]
    keywords = KeywordIntentClassifier()
    said, us = _timed([prompt for prompt, _ in rows], lambda request: classifier.classify(request).label)
    told = [keywords.classify(_request(prompt)).label for prompt, _ in rows]
    labels = [label for _, label in rows]
    confusion: dict[Intent, dict[Intent, int]] = defaultdict(lambda: defaultdict(int))
    for label, given in zip(labels, said, strict=True):
        confusion[label][given] += 1
    per_intent = _f1(labels, said)
    return IntentFigures(
        file=Path(path).name,
        n=len(rows),
        macro_f1=_mean(per_intent.values()),
        per_intent=per_intent,
        confusion=confusion,
        keywords_macro_f1=_mean(_f1(labels, told).values()),
        us=us,
    )


def measure_difficulty(
    paths: Sequence[str], classifier: IntentClassifier, scorer: ComplexityScorer
) -> list[DifficultyFigures]:
    """Rank the prompts of each source; a line holds `prompt`, `difficulty` (a number) and `source`.

    Levels of different sources are on different scales, so only ranks within a source are compared.

    Raises:
        ConfigurationError: A file cannot be read, or a line lacks one of these.
    """
    rows = [row for path in paths for row in _rows(path, "difficulty")]
    values, us = _timed(
        [row["prompt"] for row in rows],
        lambda request: scorer.score(request, classifier.classify(request)).value,
    )
    sources: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        sources[str(row.get("source", "unnamed"))].append(i)
    found = []
    for source, places in sources.items():
        truth = [float(rows[i]["difficulty"]) for i in places]
        found.append(
            DifficultyFigures(
                source=source,
                n=len(places),
                spearman=spearman(truth, [values[i] for i in places]),
                spearman_length=spearman(truth, [len(rows[i]["prompt"]) for i in places]),
                us=us,
            )
        )
    return sorted(found, key=lambda one: (-one.n, one.source))


def spearman(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Return the rank correlation; equal values share their mean rank. None where one side does not vary.

    Example:
        >>> spearman([1, 2, 3], [10, 20, 30]), spearman([1, 2], [5, 5])
        (1.0, None)
    """
    ranks = [_ranks(side) for side in (left, right)]
    spread = [float(((one - one.mean()) ** 2).sum()) for one in ranks]
    if not all(spread):
        return None
    shared = float(((ranks[0] - ranks[0].mean()) * (ranks[1] - ranks[1].mean())).sum())
    return shared / math.sqrt(spread[0] * spread[1])


def _ranks(values: Sequence[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    _, place, counts = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray(((ends - counts) + (ends - 1)) / 2.0)[place]


def _f1(labels: Sequence[Intent], said: Sequence[Intent]) -> dict[Intent, float]:
    found: dict[Intent, float] = {}
    for intent in INTENTS:
        if intent in labels:
            pairs = list(zip(labels, said, strict=True))
            right = sum(label == given == intent for label, given in pairs)
            found[intent] = 2 * right / sum((label == intent) + (given == intent) for label, given in pairs)
    return found


def _mean(values: Iterator[float] | Any) -> float:
    return float(np.mean(list(values)))


def _timed(prompts: Sequence[str], do: Callable[[RoutingRequest], T]) -> tuple[list[T], float]:
    """Return what was said of each prompt, and the median time of one."""
    said, took = [], []
    for prompt in prompts:
        request = _request(prompt)
        start = time.perf_counter()
        said.append(do(request))
        took.append(time.perf_counter() - start)
    return said, 1e6 * float(np.median(took))


def _request(prompt: str) -> RoutingRequest:
    return RoutingRequest(messages=(HumanMessage(prompt),))


def _intent(row: Mapping[str, Any], path: str) -> Intent:
    label = next((intent for intent in INTENTS if intent == row["intent"]), None)
    if label is None:
        raise ConfigurationError(f"{path!r} has a label that is none of the nine: {row['intent']!r:.60}.")
    return label


def _rows(path: str, wanted: str) -> Iterator[dict[str, Any]]:
    try:
        raw = Path(path).read_bytes()
        text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode("utf-8")
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise ConfigurationError(f"{path!r} cannot be read: {type(error).__name__}.") from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise ConfigurationError(f"{path!r} is empty. It needs one JSON object a line.")
    types = str if wanted == "intent" else (int, float)
    for number, line in lines:
        try:
            row = json.loads(line)
            fits = isinstance(row["prompt"], str) and isinstance(row[wanted], types)
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise ConfigurationError(
                f"Line {number} of {path!r} is no JSON object with 'prompt' and {wanted!r} of the right type."
            )
        yield row
