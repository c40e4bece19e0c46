"""Where a scorer's columns are: what is seen of an answer, beside what is known of who gave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.checks.scoring.agreement import NAMES, mean_agreement
from langchain_router.checks.scoring.answered import Answered
from langchain_router.checks.scoring.features import CLUES, SIZE, FeatureCache
from langchain_router.checks.scoring.sparse import Rows, make_rows

_TOLD: Final = len(NAMES)

AGREEMENT_START: Final = SIZE
NAMED_START: Final = SIZE + _TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of a scorer.

    They are an answer's features, the mean agreement with second answers, the agreement with each second by
    name, then each draft's own intercept and its own share in every clue.

    Attributes:
        drafts: Models whose answers it knows apart; empty when there was one only.
        seconds: Models whose second answers it knows apart; likewise.
    """

    drafts: tuple[str, ...] = ()
    seconds: tuple[str, ...] = ()

    @property
    def drafts_start(self) -> int:
        """First column of the drafts' own."""
        return NAMED_START + _TOLD * len(self.seconds)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.drafts_start + (1 + CLUES) * len(self.drafts)

    def rows(self, examples: Sequence[Answered], cache: FeatureCache) -> Rows:
        """Return one row for each example."""
        return make_rows([self._row(one, cache) for one in examples], self.width)

    def _row(self, one: Answered, cache: FeatureCache) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        seen = cache.features(one.prompt, one.answer)
        places, values = [seen.indices], [seen.values]
        if one.seconds:
            each = {name: cache.agreement(one.prompt, one.answer, said) for name, said in one.seconds.items()}
            _put(places, values, AGREEMENT_START, mean_agreement(each))
            for at, name in enumerate(self.seconds):
                if name in each:
                    _put(places, values, NAMED_START + _TOLD * at, each[name])
        if one.draft in self.drafts:
            start = self.drafts_start + (1 + CLUES) * self.drafts.index(one.draft)
            clues = int(np.searchsorted(seen.indices, CLUES))
            places += [np.array([start], np.int32), seen.indices[:clues] + np.int32(start + 1)]
            values += [np.ones(1, np.float32), seen.values[:clues]]
        return np.concatenate(places), np.concatenate(values)


def columns_for(examples: Sequence[Answered]) -> Columns:
    """Return the columns that tell the drafts and seconds of these examples apart."""
    drafts = sorted({one.draft for one in examples if one.draft is not None})
    seconds = sorted({name for one in examples for name in one.seconds})
    return Columns(
        drafts=tuple(drafts) if len(drafts) > 1 else (), seconds=tuple(seconds) if len(seconds) > 1 else ()
    )


def _put(
    places: list[NDArray[np.int32]], values: list[NDArray[np.float32]], start: int, told: Sequence[float]
) -> None:
    places.append(np.arange(start, start + _TOLD, dtype=np.int32))
    values.append(np.array(told, np.float32))
