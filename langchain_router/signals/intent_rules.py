"""What each piece of evidence says about the intent, and how strongly.

A weight is a difference in log-odds: evidence of weight 1 for an intent multiplies its odds by about 2.7.
Weights were set by hand in steps of a half, from 0.5 (a hint) to 3 (says it outright); they are not fitted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, get_args

from langchain_router.exceptions import ConfigurationError
from langchain_router.signals.types import INTENTS, Intent


class Evidence(NamedTuple):
    """Tags that must all be seen, tags that must not be, and what that says.

    Negated tags start with "!". The strength of the evidence is that of its weakest tag.
    """

    tags: str
    intent: Intent
    weight: float


EVIDENCE: tuple[Evidence, ...] = (
    # translation
    Evidence("translate", "translation", 2.5),
    Evidence("to_language", "translation", 1.5),
    Evidence("say in_language", "translation", 2.5),
    Evidence("in_language following_text", "translation", 1.0),
    Evidence("translate to_language", "translation", 1.5),
    Evidence("translate code", "translation", -1.0),
    Evidence("role_translation", "translation", 2.5),
    # summarization
    Evidence("summarize", "summarization", 3.0),
    Evidence("headline long_prose", "summarization", 1.5),
    Evidence("headline", "summarization", 0.5),
    Evidence("headline following_text", "summarization", 1.5),
    Evidence("role_summarization", "summarization", 2.5),
    # classification
    Evidence("classify", "classification", 2.0),
    Evidence("sentiment", "classification", 2.0),
    Evidence("category", "classification", 0.5),
    Evidence("classify category", "classification", 1.0),
    Evidence("judged_text>verdict", "classification", 2.0),
    Evidence("choices", "classification", 1.5),
    Evidence("role_classification", "classification", 2.5),
    Evidence("closed_schema", "classification", 2.5),
    # extraction
    Evidence("extract", "extraction", 2.5),
    Evidence("keywords", "extraction", 1.5),
    Evidence("keywords long_prose", "extraction", 1.0),
    Evidence("from_text", "extraction", 0.5),
    Evidence("from_text long_prose", "extraction", 1.0),
    Evidence("from_text question long_prose", "extraction", 1.0),
    Evidence("role_extraction", "extraction", 2.5),
    Evidence("wide_schema", "extraction", 1.5),
    Evidence("list_schema", "extraction", 0.5),
    Evidence("extract code", "extraction", -1.5),
    # reasoning
    Evidence("prove", "reasoning", 2.5),
    Evidence("solve", "reasoning", 1.5),
    Evidence("mathematics", "reasoning", 1.0),
    Evidence("solve mathematics", "reasoning", 1.0),
    Evidence("math_notation", "reasoning", 1.0),
    Evidence("math_notation question", "reasoning", 0.5),
    Evidence("how_many", "reasoning", 1.0),
    Evidence("how_many numbers", "reasoning", 2.0),
    Evidence("numbers question !code", "reasoning", 1.0),
    Evidence("puzzle", "reasoning", 1.5),
    Evidence("reason", "reasoning", 1.5),
    Evidence("options", "reasoning", 2.0),
    Evidence("role_reasoning", "reasoning", 2.0),
    # formatting
    Evidence("rewrite", "formatting", 2.5),
    Evidence("rewrite code", "formatting", -1.5),
    Evidence("correct grammar", "formatting", 2.0),
    Evidence("correct following_text", "formatting", 1.5),
    Evidence("grammar", "formatting", 0.5),
    Evidence("convert as_format", "formatting", 2.0),
    Evidence("convert following_text", "formatting", 1.0),
    Evidence("as_format", "formatting", 1.0),
    Evidence("make>data_format !tech", "formatting", 1.5),
    Evidence("strict_format", "formatting", 1.0),
    Evidence("strict_format data_format", "formatting", 1.0),
    Evidence("strict_format make", "formatting", 1.0),
    Evidence("role_formatting", "formatting", 2.5),
    # conversation
    Evidence("greeting", "conversation", 1.0),
    Evidence("greeting short", "conversation", 1.5),
    Evidence("small_talk", "conversation", 1.0),
    Evidence("advice", "conversation", 1.0),
    Evidence("tell_me", "conversation", 1.0),
    Evidence("opens_question !code !tech", "conversation", 1.0),
    Evidence("short question", "conversation", 0.5),
    Evidence("explain !code !tech", "conversation", 1.0),
    Evidence("role_play", "conversation", 1.0),
    Evidence("role_conversation", "conversation", 1.5),
    Evidence("code", "conversation", -1.0),
    Evidence("long_prose", "conversation", -0.5),
    # code, either kind
    Evidence("code", "code_generation", 1.0),
    Evidence("code", "code_review", 1.5),
    Evidence("tech", "code_generation", 1.0),
    Evidence("tech", "code_review", 1.0),
    Evidence("tech program_words", "code_generation", 0.5),
    Evidence("tech program_words", "code_review", 0.5),
    # code generation
    Evidence("make_code", "code_generation", 1.5),
    Evidence("make>code_noun", "code_generation", 2.0),
    Evidence("make>code_noun tech", "code_generation", 0.5),
    Evidence("foreign_make code_noun", "code_generation", 2.5),
    Evidence("implement", "code_generation", 2.0),
    Evidence("how_code tech", "code_generation", 1.0),
    Evidence("how_code code", "code_generation", 1.5),
    Evidence("translate code tech", "code_generation", 1.5),
    Evidence("role_code_generation", "code_generation", 1.0),
    # code review
    Evidence("review code", "code_review", 1.5),
    Evidence("review tech", "code_review", 1.0),
    Evidence("foreign_review", "code_review", 2.0),
    Evidence("code_review", "code_review", 2.5),
    Evidence("this_code", "code_review", 1.0),
    Evidence("review this_code", "code_review", 1.0),
    Evidence("refactor", "code_review", 2.0),
    Evidence("tell_me this_code", "code_review", 1.0),
    Evidence("explain code", "code_review", 1.5),
    Evidence("explain this_code", "code_review", 1.0),
    Evidence("correct code", "code_review", 1.0),
    Evidence("rewrite code", "code_review", 1.5),
    Evidence("trouble code", "code_review", 1.0),
    Evidence("trouble tech", "code_review", 1.0),
    Evidence("wrong code", "code_review", 0.5),
    Evidence("error_text", "code_review", 1.5),
    Evidence("role_code_review", "code_review", 2.5),
    # an agent with tools that goes on with its work is thinking, not chatting
    Evidence("tool_result", "reasoning", 0.5),
    Evidence("many_tools", "reasoning", 0.5),
    Evidence("many_tools", "conversation", -0.5),
)

PRIOR: dict[Intent, float] = dict.fromkeys(INTENTS, 0.0) | {"conversation": 1.0}
"""Log-odds before any evidence: a text that says nothing about its task is most likely talk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRule:
    """A rule of your own: when its words are in the prompt, an intent becomes more likely.

    Args:
        name: Shown in the evidence, so that `explain()` can say which rule fired; never the prompt's text.
        intent: One of the nine intents.
        weight: Added log-odds, -10..10 and not 0. Shipped rules go from 0.5 (a hint) to 3 (says it all).
        keyword: Words to find, in any case and as whole words. Give this or `pattern`.
        pattern: A regular expression, searched without regard to case in at most 2,700 characters. Avoid
            nested repetition such as `(a+)+`: Python's engine takes exponential time on it.

    Raises:
        ConfigurationError: The intent is unknown, the weight is out of range, the pattern does not compile
            or matches the empty text, or not exactly one of `keyword` and `pattern` is given.

    Example:
        >>> rule = IntentRule(name="nda", keyword="non-disclosure", intent="extraction", weight=2.0)
        >>> rule.matches("Our Non-Disclosure Agreement")
        True
    """

    name: str
    intent: Intent
    weight: float
    keyword: str | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigurationError(f"An intent rule needs a name, got {self.name!r}.")
        if self.intent not in get_args(Intent):
            raise ConfigurationError(
                f"Rule {self.name!r} points to {self.intent!r}, which is not an intent. "
                f"Use one of {', '.join(INTENTS)}."
            )
        number = isinstance(self.weight, (int, float)) and not isinstance(self.weight, bool)
        if not number or not -10 <= self.weight <= 10 or self.weight == 0:
            raise ConfigurationError(
                f"Rule {self.name!r} needs a weight from -10 to 10 that is not 0, got {self.weight!r}."
            )
        if (self.keyword is None) == (self.pattern is None):
            raise ConfigurationError(f"Rule {self.name!r} needs either keyword= or pattern=, and not both.")
        try:
            matches_nothing = self._compiled().search("") is not None
        except (re.error, TypeError) as error:
            raise ConfigurationError(
                f"Rule {self.name!r} cannot be searched for: {error}. Correct its pattern or keyword."
            ) from error
        if matches_nothing:
            raise ConfigurationError(f"Rule {self.name!r} matches the empty text, so it would always fire.")

    def matches(self, text: str) -> bool:
        """Say whether the rule fires on a text."""
        return self._compiled().search(text) is not None

    def _compiled(self) -> re.Pattern[str]:
        if self.pattern is not None:
            return re.compile(self.pattern, re.IGNORECASE)
        if not isinstance(self.keyword, str):
            raise TypeError(f"a keyword is a string, not {type(self.keyword).__name__}")
        word = self.keyword.strip()
        return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)" if word else "", re.IGNORECASE)
