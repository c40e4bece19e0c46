"""Trains `LearnedComplexityScorer`: `python -m langchain_router.signals.training.train_complexity`.

A ridge regression of the difficulty that authors gave their prompts on counted signs and hashed words, with
exact tasks graded by size beside them. How strongly the weights are held is chosen on held-out prompts;
nothing is drawn at random that a seed does not fix.

Two things are set here by hand, because the prompts cannot teach them. Their authors were asked to keep
difficulty apart from length, which in traffic go together, so length adds as much as all that was learned:
one spread for one spread. And no prompt has tools, earlier turns or a schema; these add what the heuristic
scorer gives them.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from langchain_core.messages import HumanMessage
from numpy.typing import NDArray

from langchain_router.request import RoutingRequest
from langchain_router.signals import fitting
from langchain_router.signals.difficulty_signs import GROUP_OF, difficulty_signs
from langchain_router.signals.keyword_intent import KeywordIntentClassifier
from langchain_router.signals.learned_complexity import FURTHEST, KIND, SHIPPED
from langchain_router.signals.linear_weights import LinearWeights
from langchain_router.signals.ngrams import Hashed, hashed
from langchain_router.signals.text import view
from langchain_router.signals.training.graded import Graded, graded
from langchain_router.signals.training.prompt_files import PROMPTS, Example, fingerprint_of, read_prompts
from langchain_router.signals.training.train_intent import WEIGHTS
from langchain_router.signals.training.validation import FOLDS, folds_of, importance_of

L2: Final = (1e-4, 3e-5)
WORDS: Final = 0.5
"""What a prompt's words count beside its signs, which together have a length of about 1."""

LEVELS: Final = 10.0
"""How freely files and kinds of tasks differ in level."""

BASE: Final = 0.4
"""Where scores start. The mean of the prompts is 0.5, but they were to be as often very hard as trivial."""

LENGTH: Final = 0.3
"""What the longest prompts add; it sets the scale of all that was learned too."""

NEVER_DOWN: Final = frozenset(
    name
    for name, group in GROUP_OF.items()
    if group in {"mathematics", "code", "proof", "conditions", "amounts", "limits", "expert", "why"}
)
"""Signs of more work, which must not make a request look easier, whatever the prompts say."""

_LEAST_SPREAD: Final = 1e-3

BY_HAND: Final = {"turns": 0.06, "tools": 0.09, "schema": 0.06}
"""What these signs add, by their unit: as `HeuristicComplexityScorer` has it."""


def train(
    examples: Sequence[Example], tasks: Sequence[Graded], *, l2: Sequence[float] = L2
) -> tuple[LinearWeights, list[Tried]]:
    """Return weights fitted with the choice of least held-out error, and what was tried, best first.

    Args:
        examples: Prompts with the difficulty their authors gave them.
        tasks: Exact tasks with their sizes.
        l2: How strongly weights may be held small; each is tried.
    """
    data = _data(examples, tasks)
    tried = sorted((_tried(data, held) for held in l2), key=lambda one: one.error)
    shares = data.fit(np.arange(len(data.target)), tried[0].l2)
    words = WORDS**2 * fitting.weights_of(data.texts, shares)
    by_sign = data.signs.T @ shares[:, 0] / len(data.names)
    never_down = [name in NEVER_DOWN for name in data.names]
    by_sign[never_down] = np.maximum(by_sign[never_down], 0)
    own = slice(0, len(examples))
    learned = float((data.seen @ shares)[own, 0].std())
    gain = LENGTH / FURTHEST / learned
    by_sign[data.names.index("chars")] += learned
    signs = {
        name: [round(float(number), 6) for number in (data.mean[i], data.spread[i], gain * by_sign[i])]
        for i, name in enumerate(data.names)
    }
    signs |= {name: [0.0, 1.0, weight] for name, weight in BY_HAND.items()}
    about = {
        "kind": KIND,
        "base": BASE,
        "l2": tried[0].l2,
        "inputs": fingerprint_of(examples),
        "signs": signs,
    }
    return LinearWeights.rounded(gain * words, about), tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What cross-validation says of a choice.

    Attributes:
        l2: How strongly weights are held small.
        error: Root of the mean squared error on held-out prompts, on the scale 0..1.
        correlation: Of difficulty and prediction within the files of the held-out prompts, averaged.
    """

    l2: float
    error: float
    correlation: float


@dataclass(frozen=True, slots=True)
class _Data:
    texts: list[Hashed]
    names: list[str]
    signs: fitting.Floats
    mean: fitting.Floats
    spread: fitting.Floats
    seen: fitting.Floats
    groups: NDArray[np.intp]
    target: fitting.Floats
    importance: fitting.Floats
    folds: NDArray[np.intp]

    def fit(self, rows: NDArray[np.intp], l2: float) -> fitting.Floats:
        # Each file and each kind of task has a level of its own: only differences within it teach.
        levels = (self.groups[rows, None] == self.groups[rows]) * LEVELS
        return fitting.fit_ridge(
            self.seen[np.ix_(rows, rows)] + levels,
            (self.target - self.target.mean())[rows, None],
            importance=self.importance[rows] / self.importance[rows].sum(),
            l2=l2,
        )


def _data(examples: Sequence[Example], tasks: Sequence[Graded]) -> _Data:
    known = KeywordIntentClassifier()
    texts, signs = [], []
    for prompt in [*(one.prompt for one in examples), *(one.prompt for one in tasks)]:
        request = RoutingRequest(messages=(HumanMessage(prompt),))
        seen = view(request)
        texts.append(hashed(seen.window))
        signs.append(difficulty_signs(seen, known.classify(request)))
    names = [name for name in signs[0] if name not in BY_HAND]
    table = np.array([[one[name] for name in names] for one in signs])
    mean, spread = table[: len(examples)].mean(axis=0), table[: len(examples)].std(axis=0) + _LEAST_SPREAD
    table = np.clip((table - mean) / spread, -FURTHEST, FURTHEST)
    groups = [*(one.file for one in examples), *(one.kind for one in tasks)]
    target = [*(one.difficulty for one in examples), *(one.size for one in tasks)]
    return _Data(
        texts,
        names,
        table,
        mean,
        spread,
        WORDS**2 * fitting.similarities(texts) + table @ table.T / len(names),
        np.unique(groups, return_inverse=True)[1],
        (np.array(target, np.float64) - 1) / 4,
        importance_of(groups),
        np.concatenate((folds_of(examples), np.arange(len(tasks)) % FOLDS)),
    )


def _tried(data: _Data, l2: float) -> Tried:
    held_out = np.zeros(len(data.target))
    for fold in np.unique(data.folds):
        out, rest = np.flatnonzero(data.folds == fold), np.flatnonzero(data.folds != fold)
        held_out[out] = (data.seen[np.ix_(out, rest)] @ data.fit(rest, l2))[:, 0]
    apart, within = [], []
    for group in np.unique(data.groups):
        rows = np.flatnonzero(data.groups == group)
        true, said = (one[rows] - one[rows].mean() for one in (data.target, held_out))
        apart.append(float(((true - said) ** 2).mean()))
        within.append(float(true @ said / max(1e-12, math.sqrt((true @ true) * (said @ said)))))
    return Tried(l2=l2, error=math.sqrt(float(np.mean(apart))), correlation=float(np.mean(within)))


def provenance(
    examples: Sequence[Example], tasks: Sequence[Graded], weights: LinearWeights, tried: Sequence[Tried]
) -> dict[str, Any]:
    """Return what weights were made from, and how."""
    return {
        "file": SHIPPED,
        "made_by": "python -m langchain_router.signals.training.train_complexity",
        "sources": [
            {
                "name": "prompts written for this project, with the difficulty that authors gave them",
                "where": "langchain_router/signals/training/prompts",
                "licence": "MIT, as the project",
                "prompts": len(examples),
            },
            {
                "name": "exact tasks graded by size, made by rule",
                "where": "langchain_router/signals/training/graded.py",
                "licence": "MIT, as the project",
                "prompts": len(tasks),
            },
        ],
        "set_by_hand": {
            "base": BASE,
            "length": "one spread for one spread of all that is learned",
            "never_down": sorted(NEVER_DOWN),
            **BY_HAND,
        },
        "inputs_sha256": fingerprint_of(examples),
        "weights_fingerprint": weights.fingerprint,
        "cross_validation": [asdict(one) for one in tried],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=Path, default=PROMPTS, help="folder of prompts")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder for the weights")
    parser.add_argument("--quick", action="store_true", help="try one choice only")
    chosen = parser.parse_args(arguments)
    examples, tasks = read_prompts(chosen.prompts), list(graded())
    weights, tried = train(examples, tasks, l2=L2[:1] if chosen.quick else L2)
    weights.save(chosen.out / SHIPPED)
    made = json.dumps(provenance(examples, tasks, weights, tried), indent=1, ensure_ascii=False)
    (chosen.out / "complexity.json").write_text(made + "\n", encoding="utf-8")
    print(f"{len(examples)} prompts, {len(tasks)} tasks; held out: {tried[0]}; weights {weights.fingerprint}")


if __name__ == "__main__":
    main()
