"""What a request shows of the kind of answer that it wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from langchain_router.checks.final_answers.choice import offered
from langchain_router.request import RoutingRequest
from langchain_router.signals.text import view

_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|far|long|old|tall|fast|often)\b|\b(?:calculate|compute|evaluate)\b"
    r"|\bwhat (?:is|was|are|were|will be|would be) (?:the|their|his|her|its) (?:\w+ ){0,2}"
    r"(?:number|sum|total|difference|product|average|mean|median|probability|percentage|value|cost|price"
    r"|area|volume|perimeter|age|distance|speed|profit|remainder)\b",
    re.IGNORECASE,
)
_ASKS_YES_NO = re.compile(
    r"\byes\W{1,5}(?:or|/)?\W{0,5}no\b|\btrue\W{1,5}(?:or|/)?\W{0,5}false\b", re.IGNORECASE
)
_CODE = re.compile(r"```|^\s{0,40}(?:def|class|import|assert|return|function|SELECT)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """What a request shows of the kind of answer that it wants. Words are looked for in English only.

    Attributes:
        options: Letters that it offers, with their texts.
        number: Whether it asks for a number.
        yes_no: Whether it asks for yes or no.
        code: Whether it holds code, in whose results case matters and a word after a number is no unit.
        schema: Whether the answer must follow a JSON schema.
    """

    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    number: bool = False
    yes_no: bool = False
    code: bool = False
    schema: bool = False


def cues(request: RoutingRequest) -> Cues:
    """Read what kind of answer a request wants. Never raises; reads at most 2,700 characters.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> cues(RoutingRequest(messages=(HumanMessage("How many legs has a spider?"),))).number
        True
    """
    window = view(request).window
    return Cues(
        options=offered(window),
        number=_ASKS_NUMBER.search(window) is not None,
        yes_no=_ASKS_YES_NO.search(window) is not None,
        code=_CODE.search(window) is not None,
        schema=request.response_schema is not None,
    )
