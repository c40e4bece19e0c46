"""A request's text as the inputs of a regression: hashed words and pairs of words, and a few plain facts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.checks.scoring.clues.reading import Question, read_question
from langchain_router.checks.scoring.ngrams import hashed
from langchain_router.request import RoutingRequest

BUCKETS: Final = 1 << 12
FACTS: Final = 6
SIZE: Final = BUCKETS + FACTS

_FACT_SCALE: Final = 0.15
_NUMBER = re.compile(r"\d+")


def prompt_inputs(prompts: Sequence[RoutingRequest | str]) -> NDArray[np.float32]:
    """Return one row for each prompt: its words and pairs of words in buckets, then six facts.

    The facts are length, digits, lines, questions, numbers and other scripts, on scales of about one. Bounded
    work: of a long prompt both ends are read.

    Args:
        prompts: Requests, of which the last human message counts, or such messages' texts.

    Example:
        >>> prompt_inputs(["What is 12 * 12?"]).shape == (1, SIZE)
        True
    """
    rows = np.zeros((len(prompts), SIZE), np.float32)
    for row, prompt in zip(rows, prompts, strict=True):
        question = read_question(prompt)
        places, values = hashed(question.text, BUCKETS)
        row[places] = values
        row[BUCKETS:] = _facts(question)
    return rows


def _facts(question: Question) -> list[float]:
    text = question.text
    length = len(text) + 1
    return [
        _FACT_SCALE * one
        for one in (
            (math.log1p(question.chars) - 5.0) / 1.5,
            20 * sum(map(str.isdigit, text)) / length,
            math.log1p(text.count("\n")),
            math.log1p(text.count("?")),
            math.sqrt(len(_NUMBER.findall(text))) / 2,
            0.0 if text.isascii() else 5 * sum(not char.isascii() for char in text) / length,
        )
    ]
