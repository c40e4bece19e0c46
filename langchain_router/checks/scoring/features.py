"""What a scorer sees of an answer to a prompt: the clues of a careful reader, and the words of both."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from langchain_core.messages import AIMessage
from numpy.typing import NDArray

from langchain_router.checks.scoring.agreement import agreement_with
from langchain_router.checks.scoring.clues import code, data, ending, kind, manner, results, shape, sums
from langchain_router.checks.scoring.clues.reading import Question, read_answer, read_question
from langchain_router.checks.scoring.ngrams import hashed
from langchain_router.request import RoutingRequest

VERSION: Final = 1
"""Changes with whatever changes a feature: what was fitted on one version says nothing of another."""

_CLUES: Final[tuple[Any, ...]] = (shape, kind, sums, code, data, ending, manner, results)

CLUE_NAMES: Final = tuple(f"{one.__name__.rpartition('.')[2]}.{name}" for one in _CLUES for name in one.NAMES)
"""Names of the clues, in order: they are the first features."""

CLUES: Final = len(CLUE_NAMES)
PROMPT_BUCKETS: Final = 1 << 12
ANSWER_BUCKETS: Final = 1 << 13
PROMPT_START: Final = CLUES
ANSWER_START: Final = CLUES + PROMPT_BUCKETS
SIZE: Final = CLUES + PROMPT_BUCKETS + ANSWER_BUCKETS
"""How many features there are: the clues, then the prompt's buckets, then the answer's."""


class Features(NamedTuple):
    """The features of an answer that are not zero.

    Attributes:
        indices: Which, ascending, each below `SIZE`.
        values: How much.
    """

    indices: NDArray[np.int32]
    values: NDArray[np.float32]


class FeatureCache:
    """Features of the texts met so far, for those who fit or score the same answers many times.

    It keeps the texts themselves in memory, so give it up with them. A scorer at work needs none.

    Args:
        most: How many answers and comparisons are kept, some three kilobytes each; when there are more, all
            are forgotten.

    Example:
        >>> cache = FeatureCache()
        >>> cache.features("2 + 2?", "4") is cache.features("2 + 2?", "4")
        True
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._questions: dict[str, tuple[Question, Features]] = {}
        self._answers: dict[tuple[str, str], Features] = {}
        self._agreements: dict[tuple[str, str, str], tuple[float, ...]] = {}

    def features(self, prompt: RoutingRequest | str, answer: AIMessage | str) -> Features:
        """Return what `features_of` does."""
        if not isinstance(prompt, str) or not isinstance(answer, str):
            return features_of(prompt, answer)
        known = self._answers.get((prompt, answer))
        if known is None:
            self._make_room()
            known = self._answers[prompt, answer] = _features(*self._question(prompt), answer)
        return known

    def agreement(
        self, prompt: RoutingRequest | str, answer: AIMessage | str, second: AIMessage | str
    ) -> tuple[float, ...]:
        """Return what `agreement_with` does."""
        if not (isinstance(prompt, str) and isinstance(answer, str) and isinstance(second, str)):
            return agreement_with(read_question(prompt).asked, answer, second)
        known = self._agreements.get((prompt, answer, second))
        if known is None:
            self._make_room()
            found = agreement_with(self._question(prompt)[0].asked, answer, second)
            known = self._agreements[prompt, answer, second] = found
        return known

    def _question(self, prompt: str) -> tuple[Question, Features]:
        if prompt not in self._questions:
            question = read_question(prompt)
            self._questions[prompt] = question, _words(question)
        return self._questions[prompt]

    def _make_room(self) -> None:
        if len(self._answers) + len(self._agreements) >= self._most:
            self._questions.clear()
            self._answers.clear()
            self._agreements.clear()


def features_of(prompt: RoutingRequest | str, answer: AIMessage | str) -> Features:
    """Return the features of an answer to a prompt.

    Bounded work whatever the length of both: one to three milliseconds. Never raises on texts, and
    runs nothing that stands in them.

    Args:
        prompt: A request, or the text of its last human message.
        answer: A message or its text.

    Example:
        >>> found = features_of("How much are 3 pens at $4?", "3 * 4 = 13. The answer is 13.")
        >>> [CLUE_NAMES[i] for i in found.indices if i < CLUES and "wrong" in CLUE_NAMES[i]]
        ['sums.sums_wrong', 'sums.last_sum_wrong', 'sums.share_of_sums_wrong']
    """
    question = read_question(prompt)
    return _features(question, _words(question), answer)


def _words(question: Question) -> Features:
    places, values = hashed(question.text, PROMPT_BUCKETS)
    return Features(places + np.int32(PROMPT_START), values)


def _features(question: Question, words: Features, answer: AIMessage | str) -> Features:
    read = read_answer(answer)
    clues = np.array([value for one in _CLUES for value in one.clues(question, read)], dtype=np.float32)
    seen = np.flatnonzero(clues)
    said, counts = hashed(read.text, ANSWER_BUCKETS)
    return Features(
        np.concatenate((seen.astype(np.int32), words.indices, said + np.int32(ANSWER_START))),
        np.concatenate((clues[seen], words.values, counts)),
    )
