"""What a user's next message says of the answer before it. Off unless asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.hooks.traces import decisions_on
from langchain_router.signals.text import words

KEYS: Final[Mapping[str, float]] = {"correction": 0.0, "repeat": 0.0, "thanks": 1.0}
"""The implicit signals, and how each scores the answer before."""

_READ_CHARS: Final = 2_000
_MOST_THANKS: Final = 8
_FEWEST_REPEATED: Final = 3

_ANSWER: Final = r"(?:that|this|it|your (?:answer|reply|response|code|solution|result))"
_CORRECTION: Final = re.compile(
    r"(?:(?:no|nope|sorry|hm+|um+|but|ugh)[\s,.!:;-]+)*(?:"
    rf"{_ANSWER}(?:'s| is| was| looks)(?: still| just| simply| completely| totally| clearly)? "
    r"(?:wrong|incorrect|not (?:right|correct|true|what i))\b"
    rf"|{_ANSWER} (?:still )?(?:doesn't|does not|didn't|did not) (?:work|compile|run|answer|help)\b"
    r"|you(?:'re| are) (?:wrong|mistaken|not answering|misunderstanding)\b"
    r"|you(?:'ve| have)? (?:still |just |completely )?"
    r"(?:misunderstood|misread|made (?:a|an|another) (?:mistake|error)|got (?:it|that|this) wrong"
    r"|(?:didn't|did not|haven't|have not) (?:answer|do|follow|read)|ignored my)\b"
    r"|i (?:didn't|did not) ask\b|i (?:already |just )(?:said|told you|asked)\b"
    r"|not what i (?:asked|meant|wanted|said)\b|(?:wrong|incorrect)(?: answer)?\s*[.!,]"
    r")",
    re.IGNORECASE,
)
_THANKS: Final = frozenset(
    {"thanks", "thank", "thx", "cheers", "perfect", "great", "excellent", "awesome", "amazing", "wonderful",
     "brilliant"}
)  # fmt: skip
_BESIDE_THANKS: Final = _THANKS | {
    "you", "so", "much", "very", "a", "lot", "many", "that", "that's", "this", "it", "it's", "is", "was",
    "helps", "helped", "works", "worked", "exactly", "what", "i", "needed", "wanted", "looks", "good", "for",
    "the", "your", "help", "answer", "explanation", "all", "again", "really", "just", "now", "and", "ok",
    "okay", "!", ".", ":", ";", "\n",
}  # fmt: skip
_NOT_OF_CONTENT: Final = frozenset(
    {"a", "an", "the", "is", "are", "was", "were", "be", "do", "does", "did", "can", "could", "would", "will",
     "you", "i", "me", "my", "we", "it", "that", "this", "to", "of", "in", "on", "for", "with", "please",
     "again", "once", "more", "said", "asked", "repeat", "ask", "then", "so", "and", "or", "just", "hey",
     "hi", "hello", "what's", "?", "!", ".", ":", ";", "\n"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Implied:
    """What a message says of the answer before it.

    Attributes:
        key: `"correction"`: it says in so many words that the answer is wrong or misses the question.
            `"repeat"`: it asks the same again. `"thanks"`: it is thanks or praise, and nothing else.
        score: 0 or 1.
    """

    key: str
    score: float


def implied_by(said: str, before: str = "") -> Implied | None:
    """Return what a message says of the answer before it; None for most, which say nothing.

    It hears little on purpose: a follow-up that asks for more, changes the task or merely sounds displeased
    is an ordinary one. Words are looked for in English only; a repeat is found in any language.

    Args:
        said: The user's new message.
        before: The same user's message before the answer.

    Example:
        >>> implied_by("No, that's wrong: it was 1789.").key
        'correction'
        >>> implied_by("Perfect, now add a docstring.") is None
        True
    """
    start = said[:_READ_CHARS].strip().replace("\u2019", "'")
    if _CORRECTION.match(start):
        return Implied(key="correction", score=KEYS["correction"])
    found = words(start)
    if 0 < sum(word.isalnum() for word in found) <= _MOST_THANKS and _is_thanks(found):
        return Implied(key="thanks", score=KEYS["thanks"])
    if before and len(said) <= _READ_CHARS and len(before) <= _READ_CHARS:
        mine, theirs = _content(found), _content(words(before.replace("\u2019", "'")))
        if len(mine) >= _FEWEST_REPEATED and mine == theirs:
            return Implied(key="repeat", score=KEYS["repeat"])
    return None


def implicit_feedback(
    messages: Sequence[BaseMessage], weights: Mapping[str, float | None], *, source: str = "implicit"
) -> list[Feedback]:
    """Return what a conversation's last message says of the routed answer before it.

    Args:
        messages: The conversation as a router gets it, the routed answers as the router returned them.
        weights: By key, how much it counts, 0..1. Keys that are not given, or None, are not looked for.
        source: Who says so: better the user's id, where it is known.

    Raises:
        ConfigurationError: A key is unknown.
    """
    unknown = sorted(weights.keys() - KEYS.keys())
    if unknown:
        raise ConfigurationError(f"No implicit signal is called {unknown[0]!r}; there are {', '.join(KEYS)}.")
    if len(messages) < 2 or not isinstance(messages[-1], HumanMessage):
        return []
    answer: AIMessage | None = None
    before = ""
    for message in reversed(messages[:-1]):
        if answer is None:
            if not isinstance(message, AIMessage):
                return []
            answer = message
        elif isinstance(message, HumanMessage):
            before = message.text
            break
        elif not isinstance(message, (AIMessage, ToolMessage)):
            break
    implied = implied_by(messages[-1].text, before)
    weight = None if implied is None else weights.get(implied.key)
    if implied is None or weight is None:
        return []
    return [
        Feedback(decision_id=id_, score=implied.score, key=implied.key, source=source, weight=weight)
        for id_ in decisions_on(answer)
    ]


def turns_of(messages: Any) -> list[str]:
    """Return what the user says in recorded messages, as the common provider formats write them."""
    found = []
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, Mapping) or message.get("role") != "user":
            continue
        content = message.get("content", message.get("parts"))
        parts = content if isinstance(content, list) else [content]
        texts = [part if isinstance(part, str) else _text_of(part) for part in parts]
        text = "\n".join(one for one in texts if one)
        if text:
            found.append(text)
    return found


def _text_of(part: Any) -> str:
    text = part.get("text") if isinstance(part, Mapping) else None
    return text if isinstance(text, str) else ""


def _is_thanks(found: Sequence[str]) -> bool:
    return not _THANKS.isdisjoint(found) and all(word in _BESIDE_THANKS for word in found)


def _content(found: Sequence[str]) -> list[str]:
    return [word for word in found if word not in _NOT_OF_CONTENT]
