"""Layer 2: how hard a request is, as a sum of named parts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from langchain_router.frozen import FrozenDict
from langchain_router.request import RoutingRequest, estimate_tokens
from langchain_router.signals import complexity_words, intent_words
from langchain_router.signals.lexicon import Lexicon, listed
from langchain_router.signals.text import BREAKS, QUESTION_MARKS, TextView, view, words
from langchain_router.signals.types import ComplexityScore, Intent, IntentPrediction

BASE = 0.15
"""Where every score starts; the contributions are added to it."""

INTENT_WEIGHTS: dict[Intent, float] = {
    "reasoning": 0.12,
    "code_review": 0.10,
    "code_generation": 0.08,
    "translation": -0.02,
    "summarization": -0.02,
    "extraction": -0.04,
    "conversation": -0.05,
    "classification": -0.06,
    "formatting": -0.06,
}
"""What each intent adds when it is certain; weighted by its probability."""

_LONG_TOKENS = 8_000  # where length stops counting
_LENGTH = 0.30
_TRIVIAL_TOKENS = 8
_TRIVIAL = -0.12
_OPENING = 1  # small talk opens with its greeting
_COUNTED: dict[str, tuple[float, float]] = {  # for each distinct word; at most
    "reasoning": (0.05, 0.16),
    "constraints": (0.025, 0.10),
    "mathematics": (0.03, 0.09),
    "engineering": (0.03, 0.12),
    "domain": (0.03, 0.09),
}
_STEP, _STEPS_MOST = 0.03, 0.12
_FIRST, _LAST = 150, 60  # words at either end that may hold instructions rather than material
_INSTRUCTIONS = frozenset({"reasoning", "constraints", "steps", "orders"})
_UNREAD_SCRIPT = 0.05
_LISTED = re.compile(r"^[ \t]{0,8}(?:\d{1,2}[.)]|[-*•])[ \t]", re.MULTILINE)
_WORKED = re.compile(r"^(?:answer|output|label|response):", re.IGNORECASE | re.MULTILINE)
_CODE_SIGNS = re.compile(r"[{}\[\]();=<>]")
_MATH_SIGNS = re.compile(r"\\(?:frac|int|sum|sqrt|lim)\b|[∫∑√≤≥∀∃∈]|\d[ \t]?[+*^=][ \t]?\d|\b[a-z][ \t]?\^")

_LEXICON = Lexicon(
    {tag: entries.split() for tag, entries in complexity_words.WORDS.items()},
    {tag: listed(phrases) for tag, phrases in complexity_words.PHRASES.items()},
)
_STEMS = {tag: listed(stems) for tag, stems in complexity_words.STEMS.items()}
_SMALL_TALK = Lexicon(
    {"talk": intent_words.WORDS["greeting"].split()}, {"talk": listed(intent_words.PHRASES["small_talk"])}
)


class HeuristicComplexityScorer:
    """Score complexity from what is visible: length, instructions, constraints, subject, tools, schema.

    The score is `BASE` plus one contribution for each feature, cut to 0..1. It costs microseconds, needs no
    data, and can be explained line by line; but what a prompt looks like says little about whether a given
    model will fail on it. Treat it as a feature for a learned predictor, not as a verdict: prefer predicted
    quality once outcomes have been recorded.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> from langchain_router.signals.keyword_intent import KeywordIntentClassifier
        >>> def score(text):
        ...     request = RoutingRequest(messages=(HumanMessage(text),))
        ...     return HeuristicComplexityScorer().score(request, KeywordIntentClassifier().classify(request))
        >>> score("hi").value < 0.1 < score("Prove that every prime above 2 is odd, without induction.").value
        True
    """

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        """Say how hard the request is. Never raises; reads at most 2,700 characters.

        Args:
            request: The request.
            intent: What layer 1 said about it; each intent moves the score by its probability.

        Returns:
            A score whose contributions add up to its value minus `BASE`, before the cut to 0..1.
        """
        seen = view(request)
        parts = {name: amount for name, amount in _contributions(seen, intent).items() if amount}
        ordered = sorted(parts.items(), key=lambda item: (-abs(item[1]), item[0]))
        return ComplexityScore(
            value=min(1.0, max(0.0, BASE + math.fsum(parts.values()))),
            contributions=FrozenDict(ordered),
            source="heuristic",
        )


def _contributions(seen: TextView, intent: IntentPrediction) -> dict[str, float]:
    window = seen.window
    tokens = words(window)
    length = _tokens(seen, window)
    found = _distinct(tokens, window)
    parts = {
        "length": _LENGTH * _log_share(length, 10, _LONG_TOKENS),
        "intent": math.fsum(
            INTENT_WEIGHTS[name] * probability for name, probability in intent.probabilities.items()
        ),
        "instructions": _instructions(window, found),
        "code": _code(window),
        "turns": min(0.08, 0.02 * math.log2(max(1, seen.turns))),
        "tools": min(0.10, 0.03 * math.log2(1 + seen.tools)),
    }
    for name, (each, most) in _COUNTED.items():
        parts[name] = min(most, each * found.get(name, 0))
    if _MATH_SIGNS.search(window):
        parts["mathematics"] = min(0.12, parts["mathematics"] + 0.05)
    if seen.phase == "tool_result":
        parts["tool_result"] = -0.03
    if seen.schema is not None:
        parts["schema"] = min(0.10, 0.02 * math.log2(1 + seen.schema.fields))
    if _is_unread(window):
        parts["unread_script"] = _UNREAD_SCRIPT
    if _is_trivial(tokens, length, found):
        parts["trivial"] = _TRIVIAL
    return parts


def _tokens(seen: TextView, window: str) -> float:
    """Estimate the tokens of the whole message from the window."""
    return estimate_tokens(window) * seen.chars / len(window) if window else 0.0


def _distinct(tokens: list[str], window: str) -> Mapping[str, int]:
    """Count distinct words of each feature; instructions count only near either end."""
    last = len(tokens) - _LAST
    seen = {
        (tag, tokens[i])
        for i, tag in _LEXICON.find(tokens)
        if tag not in _INSTRUCTIONS or i < _FIRST or i >= last
    }
    counts: dict[str, int] = {}
    for tag, _ in seen:
        counts[tag] = counts.get(tag, 0) + 1
    if not window.isascii():
        for tag, stems in _STEMS.items():
            counts[tag] = counts.get(tag, 0) + sum(stem in window for stem in stems)
    return counts


def _instructions(window: str, found: Mapping[str, int]) -> float:
    """Weigh how many things are asked for: orders, steps, questions and list items."""
    worked = _WORKED.findall(window)
    if len(worked) >= 3:  # a prompt with worked examples asks its question once, however often it is written
        return 0.0
    questions = sum(window.count(mark) for mark in QUESTION_MARKS)
    listed = len(_LISTED.findall(window))
    asked = max(found.get("orders", 0), questions, min(listed, 8)) + found.get("steps", 0) / 2
    return min(_STEPS_MOST, _STEP * max(0.0, asked - 1))


def _code(window: str) -> float:
    """Weigh how much code there is to read."""
    signs = len(_CODE_SIGNS.findall(window))
    share = signs / len(window) if window else 0.0
    if "```" not in window and (signs < 8 or share < 0.02):
        return 0.0
    return 0.03 + 0.05 * _log_share(signs, 10, 300)


def _is_unread(window: str) -> bool:
    """Say whether most of the text is in letters that hardly any of the words here are written in."""
    return not window.isascii() and len(window.encode("ascii", "ignore")) < len(window) / 2


def _is_trivial(tokens: list[str], length: float, found: Mapping[str, int]) -> bool:
    """Say whether it is a greeting, or so short that there is hardly anything to answer."""
    said = [token for token in tokens if token not in BREAKS]
    if not said:
        return True
    hard = any(found.get(name) for name in (*_COUNTED, "orders"))
    if hard or length > 3 * _TRIVIAL_TOKENS:
        return False
    opening = next((i for i, _ in _SMALL_TALK.find(tokens)), len(tokens))
    return opening <= _OPENING or length <= _TRIVIAL_TOKENS // 2


def _log_share(amount: float, unit: float, most: float) -> float:
    """Return 0..1 on a logarithmic scale: 0 for nothing, 1 from `most` on."""
    return min(1.0, math.log1p(amount / unit) / math.log1p(most / unit))
