"""What simulated models say when they are wrong, or are asked something they do not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b

_EVASIONS = (
    "That depends on details the question leaves open.",
    "Hard to say without more context.",
    "Sorry, this is beyond what can be worked out here.",
    "Several readings seem possible, and none stands out.",
)
_CONFIDENT = (
    "Clearly the opposite holds, as the usual textbook treatment shows.",
    "This is a classic case where both sides cancel, leaving nothing further to do.",
    "Going through it step by step, everything reduces to the first option mentioned.",
    "The established approach applies directly, so the outcome follows from convention.",
)
_SMALL_TALK = (
    "Happy to help with that.",
    "Here is a short overview of the main points.",
    "First, it helps to see the parts separately.",
    "Then each part can be handled on its own.",
    "In practice the simplest version is often enough.",
    "Let me know which direction matters most.",
    "There are trade-offs, mostly between effort and precision.",
    "That covers the essentials.",
)
_OPPOSITES = {"yes": "No", "no": "Yes", "true": "False", "false": "True"}
_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")
_OPTION = re.compile(r"\(?([A-Ea-e])[).]?")
_WORDS_TO_CUT_FROM = 8


def draw(*key: object) -> float:
    """Return a number from 0 up to 1 that depends on the key alone, alike on every machine."""
    digest = blake2b(repr(key).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / (1 << 53)


def small_talk(key: tuple[object, ...]) -> str:
    """Return one to four fluent sentences that repeat nothing of the prompt."""
    start = int(draw("topic", *key) * len(_SMALL_TALK))
    count = 1 + int(draw("length", *key) * 4)
    return " ".join(_SMALL_TALK[(start + step) % len(_SMALL_TALK)] for step in range(count))


def wrong_answer(right: str, key: tuple[object, ...]) -> str:
    """Return a fluent answer that does not contain the right one.

    The kind is drawn from the key: a slip (another number, another option, the opposite), an answer
    broken off, a confident falsehood, or an evasion. Slips count double where the answer allows one.
    """
    slips = list(_slips(right, key))
    options = [*slips, *slips, *_broken_off(right), _pick(_CONFIDENT, key), _pick(_EVASIONS, key)]
    turn = int(draw("kind", *key) * len(options))
    ordered = options[turn:] + options[:turn] + list(_EVASIONS)
    return next((wrong for wrong in ordered if not _contains(wrong, right)), "?")


def _slips(right: str, key: tuple[object, ...]) -> Iterator[str]:
    plain = right.strip().rstrip(".").lower()
    option = _OPTION.fullmatch(right.strip())
    number = _LAST_NUMBER.search(right)
    if plain in _OPPOSITES:
        yield _OPPOSITES[plain]
    elif option:
        letters = "ABCDE" if option[1].isupper() else "abcde"
        shift = 1 + int(draw("option", *key) * 4)
        other = letters[(letters.index(option[1]) + shift) % 5]
        yield right.strip().replace(option[1], other)
    elif number:
        slip = int(number.group()) + 1 + int(draw("slip", *key) * 9)
        yield right[: number.start()] + str(slip) + right[number.end() :]


def _broken_off(right: str) -> Iterator[str]:
    words = right.split(" ")
    if len(words) >= _WORDS_TO_CUT_FROM:
        yield " ".join(words[: len(words) // 3]) + "…"


def _pick(options: tuple[str, ...], key: tuple[object, ...]) -> str:
    return options[int(draw("phrase", *key) * len(options))]


def _contains(text: str, right: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(right.strip().lower())}(?!\w)", text.lower()) is not None
