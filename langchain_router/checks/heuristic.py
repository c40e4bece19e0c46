"""Passes an answer in which nothing is plainly wrong, by looking at its text alone."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_core.messages import AIMessage

from langchain_router.checks.arguments import check_switch
from langchain_router.checks.base import Check
from langchain_router.checks.check import Review, Verdict, is_beginning
from langchain_router.checks.text_rules import asked_length, language, refusal, repetition
from langchain_router.checks.text_rules.answer_text import is_blank, said
from langchain_router.checks.text_rules.ending import breaks_off
from langchain_router.finish import Finish, finish_of
from langchain_router.request import RoutingRequest, blocks
from langchain_router.signals.keyword_intent import KeywordIntentClassifier
from langchain_router.signals.text import TextView, view
from langchain_router.signals.types import Intent

_RULES = ("empty", "refusal", "cut_off", "repeated", "too_short", "wrong_language")
_LABEL_TOKENS = 16  # a limit up to here is set for a label or a "yes", and cuts on purpose
_SPOKEN_OR_SHOWN = frozenset({"image", "image_url", "audio", "video", "file", "media", "document"})
_SHORT_INTENTS: frozenset[Intent] = frozenset({"classification", "extraction"})
_MAKING_INTENTS: frozenset[Intent] = frozenset({"code_generation", "code_review", "summarization"})
_SURE_ENOUGH = 0.4
_MAY_BE_TRANSLATION = 0.2


class HeuristicCheck(Check):
    """Pass an answer unless its text shows that something went wrong. Free: it asks nobody.

    It finds answers that are no answers. It does not tell a right answer from a wrong one, for which length
    and hedging words are no sign: put `AgreementCheck` or `JudgeCheck` behind it for that, as in
    `HeuristicCheck() & JudgeCheck(...)`. Its work is bounded: it reads both ends of the answer and of the
    request, whatever lies between. An answer that calls tools passes whatever text stands beside them; one of
    which only the beginning is there, while it streams, is not held to be cut off or too short.

    Every rule is on unless it is switched off.

    Args:
        empty: Fail an answer that shows nothing.
        refusal: Fail an answer of up to 1,000 characters that begins as a refusal does ("I cannot", "I don't
            know", in some fifteen languages), unless the request has to do with refusals, and one that the
            provider's own filter stopped.
        cut_off: Fail an answer that the provider cut at a length limit (except one of up to 16 tokens, which
            is set for a label), that leaves a block of code open, or whose prose breaks off.
        repeated: Fail an answer that ends in the same line or words over and over, unless that was asked.
        too_short: Fail an answer far shorter than the request asks for, where it asks for a length: an essay,
            500 words, an explanation in detail. Without that, "Yes", "42" and "B" are long enough.
        wrong_language: Fail an answer that is plainly in another language than the request, unless the
            request names a language, asks for a translation or holds text in that language.

    Raises:
        ConfigurationError: A switch is neither True nor False.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> request = RoutingRequest(messages=(HumanMessage("Write an essay about the sea."),))
        >>> HeuristicCheck().check(request, AIMessage("ok")).reason
        'too short: it only agrees to do what was asked'
    """

    name = "heuristic"

    def __init__(
        self,
        *,
        empty: bool = True,
        refusal: bool = True,
        cut_off: bool = True,
        repeated: bool = True,
        too_short: bool = True,
        wrong_language: bool = True,
    ) -> None:
        given = (empty, refusal, cut_off, repeated, too_short, wrong_language)
        for rule, wanted in zip(_RULES, given, strict=True):
            check_switch(rule, wanted)
        self.rules = frozenset(rule for rule, wanted in zip(_RULES, given, strict=True) if wanted)
        self._intents = KeywordIntentClassifier()

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        """Look for the first thing that is wrong."""
        yield from ()  # a generator that asks nobody
        fault = next(self._faults(request, response), None)
        return Verdict(passed=fault is None, reason=fault or "nothing in the text looks wrong")

    def _faults(self, request: RoutingRequest, response: AIMessage) -> Iterator[str]:
        """Yield what is wrong, the surest first."""
        ended = finish_of(response)
        yield from self._said_by_the_provider(request, response, ended)
        if response.tool_calls and not response.invalid_tool_calls:
            return
        text = said(response)
        if is_blank(text):
            if "empty" in self.rules and not _shows_or_speaks(response):
                yield "empty: a tool call cannot be read" if response.invalid_tool_calls else "empty"
            return
        seen = view(request)
        yield from self._broken(seen, text)
        if not is_beginning(response):
            yield from self._cut_off(text, says_finished=ended == "stop")
        if request.response_schema is None:  # the length and the language of data are for its schema to say
            if not is_beginning(response):
                yield from self._too_short(request, seen, text)
            yield from self._wrong_language(request, seen, text)

    def _said_by_the_provider(
        self, request: RoutingRequest, response: AIMessage, ended: Finish | None
    ) -> Iterator[str]:
        limit = request.max_output_tokens
        if "cut_off" in self.rules and ended == "length" and (limit is None or limit > _LABEL_TOKENS):
            yield "cut off: the model reached a length limit"
        if "refusal" in self.rules and (ended == "refused" or _is_marked_as_refusal(response)):
            yield "a refusal: the provider marks it as one"

    def _broken(self, seen: TextView, text: str) -> Iterator[str]:
        if "refusal" in self.rules and refusal.refuses(text, f"{seen.system}\n{seen.window}"):
            yield "a refusal, by its first words"
        if "repeated" in self.rules:
            how = repetition.repeats_itself(text)
            if how is not None and not repetition.asks_for_repetition(seen.window):
                yield f"repeated: {how}"

    def _cut_off(self, text: str, *, says_finished: bool) -> Iterator[str]:
        if "cut_off" in self.rules:
            how = breaks_off(text, says_finished=says_finished)
            if how is not None:
                yield f"cut off: {how}"

    def _too_short(self, request: RoutingRequest, seen: TextView, text: str) -> Iterator[str]:
        if "too_short" not in self.rules or request.phase != "user_turn":
            return
        if asked_length.only_acknowledges(text) and self._orders_a_text(request, seen):
            yield "too short: it only agrees to do what was asked"
        words = asked_length.least_words(seen)
        if words and asked_length.is_shorter(text, words) and not self._is_about_a_text(request):
            yield f"too short: the request asks for a text of {words} words or more"

    def _wrong_language(self, request: RoutingRequest, seen: TextView, text: str) -> Iterator[str]:
        if "wrong_language" not in self.rules:
            return
        found = language.is_in_another_language(text, seen.window)
        if found is None or language.names_a_language(f"{seen.system}\n{seen.window}"):
            return
        if self._intents.classify(request).probabilities["translation"] < _MAY_BE_TRANSLATION:
            yield f"wrong language: {found[1]}, where the request is {found[0]}"

    def _orders_a_text(self, request: RoutingRequest, seen: TextView) -> bool:
        if asked_length.orders_a_text(seen):
            return True
        intent = self._intents.classify(request)
        return intent.label in _MAKING_INTENTS and intent.confidence >= _SURE_ENOUGH

    def _is_about_a_text(self, request: RoutingRequest) -> bool:
        """Return whether a label or a fact is asked for, and the long text is the material."""
        intent = self._intents.classify(request)
        return intent.label in _SHORT_INTENTS and intent.confidence >= _SURE_ENOUGH

    def __repr__(self) -> str:
        off = ", ".join(f"{rule}=False" for rule in _RULES if rule not in self.rules)
        return f"HeuristicCheck({off})"


def _is_marked_as_refusal(response: AIMessage) -> bool:
    """Return whether OpenAI's own field or block for refusals is used."""
    if response.additional_kwargs.get("refusal"):
        return True
    return any(block.get("type") == "refusal" for block in blocks(response))


def _shows_or_speaks(response: AIMessage) -> bool:
    """Return whether the answer is an image or a voice."""
    if response.additional_kwargs.get("audio"):
        return True
    return any(block.get("type") in _SPOKEN_OR_SHOWN for block in blocks(response))
