"""Named signs of difficulty that n-grams do not show: how much there is of what makes a task hard."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from langchain_router.signals.text import BREAKS, TextView, words
from langchain_router.signals.types import INTENTS, IntentPrediction

_NUMBER: Final = re.compile(r"\d+(?:[.,:/]\d+)*")
_SIGNS: Final = re.compile(r"[+*/^=<>%\u00d7\u00f7\u2212\u00b7]| - ")
_FORMULA: Final = re.compile(
    r"\\[a-z]{2,12}|\$[^$\n]{1,80}\$|[\u2200-\u22ff\u0391-\u03c9]|[a-z]\^|_\{|\b[a-z]\([a-z]\)"
)
_CALL: Final = re.compile(r"\b\w{1,30}(?:\.\w{1,30})*\(")
_INDENT: Final = re.compile(r"^([ \t]+)\S", re.MULTILINE)
_BRANCH: Final = re.compile(
    r"\b(?:for|while|if|elif|else|case|switch|try|except|catch|lambda|yield|map|reduce)\b"
)
_STRUCTURE: Final = re.compile(r"[\[\](){},]")
_QUOTED: Final = re.compile(r"'[^'\n]{1,80}'|\"[^\"\n]{1,80}\"|`[^`\n]{1,80}`|“[^”\n]{1,80}”")
_OPTION: Final = re.compile(r"^[ \t]*\(?[A-Ea-e1-5][).:]\s?\S", re.MULTILINE)
_CAPITAL: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")

_GROUPS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(entries.split())
    for name, entries in {
        "proof": """
            prove proof proves show derive derivation theorem lemma justify rigorous rigorously formally
            counterexample bound bounds necessary sufficient iff converge converges infinitely exists
        """,
        "conditions": """
            if then when unless whenever while after before until given suppose assume assuming provided
            whether otherwise such where which whose respectively
        """,
        "amounts": """
            each every per twice half third quarter double triple times total remaining left rest more
            less fewer than average percent ratio altogether equally same both difference sum product
        """,
        "limits": """
            not no never without except only exactly must cannot avoid least most between within nor
            neither don't doesn't isn't
        """,
        "why": """
            why how explain analyse analyze evaluate discuss critique compare contrast implications
        """,
        "what": """
            what who when where name list is are was does did can
        """,
        "expert": """
            algorithm complexity concurrency distributed optimal asymptotic quantum stochastic
            jurisdiction pharmacology differential topology kernel compiler latency consistency
            transaction invariant bayesian regression regulatory liability architecture tradeoff tradeoffs
            subtle nuance edge cases
        """,
        "everyday": """
            my i me you hi hello please thanks thank favourite favorite dog cat food mum dad kids birthday
            holiday home weekend name colour color day morning
        """,
    }.items()
}


GROUP_OF: Final[Mapping[str, str]] = {
    **dict.fromkeys(("chars", "sentences", "lines"), "length"),
    **dict.fromkeys(("sentence_length", "word_length", "long_words", "distinct_words", "names"), "style"),
    **dict.fromkeys(
        ("numbers", "distinct_numbers", "digits", "fractions", "operators", "formulas"), "mathematics"
    ),
    **dict.fromkeys(("calls", "nesting", "code_lines", "branches", "brackets", "quoted"), "code"),
    **dict.fromkeys(("questions", "options"), "questions"),
    **{f"{name}{ending}": name for name in _GROUPS for ending in ("", "_share")},
    **{f"intent:{label}": "intent" for label in INTENTS},
}
"""Under which name a sign is told; those left out are told under their own."""


def difficulty_signs(seen: TextView, intent: IntentPrediction) -> dict[str, float]:
    """Return the signs of a request by name, each of the order of 1. Bounded work; never raises.

    Args:
        seen: What is read of the request.
        intent: What layer 1 said about it.
    """
    window = seen.window
    tokens = words(window)
    said = [token for token in tokens if token not in BREAKS]
    count = max(1, len(said))
    sentences = max(1, sum(one in BREAKS - {"\n"} for one in tokens))
    numbers = _NUMBER.findall(window)
    indents = [len(one.expandtabs(4)) for one in _INDENT.findall(window)]
    letters = sum(map(len, said))
    signs = {
        "chars": math.log2(1 + seen.chars) / 8,
        "sentences": math.log2(1 + sentences) / 3,
        "sentence_length": math.log2(1 + count / sentences) / 4,
        "word_length": letters / count / 5,
        "long_words": 5 * sum(len(token) >= 9 for token in said) / count,
        "distinct_words": len(set(said)) / count,
        "numbers": math.log2(1 + len(numbers)) / 3,
        "distinct_numbers": math.log2(1 + len(set(numbers))) / 3,
        "digits": math.log2(1 + max((len(one) for one in numbers), default=0)) / 2,
        "fractions": math.log2(1 + sum(not one.isdigit() for one in numbers)) / 2,
        "operators": math.log2(1 + len(_SIGNS.findall(window))) / 3,
        "formulas": math.log2(1 + len(_FORMULA.findall(window))) / 3,
        "calls": math.log2(1 + len(_CALL.findall(window))) / 3,
        "nesting": math.log2(1 + max(indents, default=0)) / 3,
        "code_lines": math.log2(1 + len(indents)) / 3,
        "branches": math.log2(1 + len(_BRANCH.findall(window))) / 3,
        "brackets": math.log2(1 + len(_STRUCTURE.findall(window))) / 5,
        "quoted": math.log2(1 + len(_QUOTED.findall(window))) / 3,
        "questions": math.log2(1 + window.count("?")) / 2,
        "options": float(len(_OPTION.findall(window)) >= 3),
        "lines": math.log2(1 + window.count("\n")) / 4,
        "names": math.log2(1 + len(set(_CAPITAL.findall(window)))) / 3,
        "other_script": 1 - len(window.encode("ascii", "ignore")) / max(1, len(window)),
        "turns": math.log2(max(1, seen.turns)) / 3,
        "tools": math.log2(1 + seen.tools) / 3,
        "schema": math.log2(1 + (seen.schema.fields if seen.schema else 0)) / 3,
    }
    for name, group in _GROUPS.items():
        signs[name] = math.log2(1 + sum(token in group for token in said)) / 3
        signs[f"{name}_share"] = 5 * sum(token in group for token in said) / count
    for label in INTENTS:
        signs[f"intent:{label}"] = intent.probabilities[label]
    return signs
