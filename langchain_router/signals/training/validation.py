"""Which training prompts are held out together, and how much each counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.signals.fitting import Floats
from langchain_router.signals.training.prompt_files import Example

FOLDS: Final = 5


def folds_of(examples: Sequence[Example], folds: int = FOLDS) -> NDArray[np.intp]:
    """Return each prompt's fold: runs of neighbours in every file, and one for files of second authors.

    An author's neighbouring prompts resemble each other, so that folds drawn at random would flatter. Files
    whose names bear a word after the intent are of another author, whom the weights are to do well by unseen.
    """
    sizes = Counter(one.file for one in examples)
    seen: Counter[str] = Counter()
    found = []
    for one in examples:
        second = "-" in one.file
        found.append(folds if second else seen[one.file] * folds // sizes[one.file])
        seen[one.file] += 1
    return np.array(found)


def importance_of(groups: Sequence[Hashable]) -> Floats:
    """Return how much each example counts: a group counts as the root of its size, and all sum to 1."""
    sizes = Counter(groups)
    found = np.array([sizes[group] ** -0.5 for group in groups])
    return np.asarray(found / found.sum())
