"""Passes an answer that keeps to its form: the tools bound to the request, and the schema asked for."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage

from langchain_router.checks.base import Check
from langchain_router.checks.check import Review, Verdict
from langchain_router.checks.json_schema import NotReadableError, violation
from langchain_router.checks.text_rules.answer_text import said
from langchain_router.request import RoutingRequest

_logger = logging.getLogger("langchain_router")

_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL)
_MOST_WARNED = 1_000


class SchemaCheck(Check):
    """Pass an answer whose tool calls and whose data are valid. Free: it asks nobody.

    A call must name a tool that is bound to the request, with arguments that its JSON schema allows. Where
    the request has a schema for the answer, the answer must be a JSON object that the schema allows: the
    whole text, or its only code block, or a tool call where the request lets one carry it. A request with
    neither tools nor schema passes. Says nothing about whether the content is right; put `AgreementCheck` or
    `JudgeCheck` behind it for that.

    A schema that is itself faulty, or refers to an address, cannot be held against the answer: the answer
    passes, the reason says so, and one warning is logged. Nothing is ever fetched.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
        >>> request = RoutingRequest(messages=(HumanMessage("Ann is 30."),), response_schema=schema)
        >>> SchemaCheck().check(request, AIMessage('{"age": "30"}')).reason
        'the answer breaks its schema at properties/age/type'
    """

    name = "schema"

    def __init__(self) -> None:
        self._warned: set[str] = set()

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        """Look for the first thing that is not valid."""
        yield from ()  # a generator that asks nobody
        unread: list[str] = []
        fault = next(self._faults(request, response, unread), None)
        if fault is not None:
            return Verdict(passed=False, reason=fault)
        if unread:
            return Verdict(passed=True, reason=unread[0])
        asked = request.tools or request.response_schema is not None
        return Verdict(passed=True, reason="the form is valid" if asked else "no form was asked for")

    def _faults(self, request: RoutingRequest, response: AIMessage, unread: list[str]) -> Iterator[str]:
        schema = _unwrapped(request.response_schema)
        if not request.tools and schema is None:
            return
        if response.invalid_tool_calls:
            yield "a tool call cannot be read"
        tools = dict(_tools(request))
        carries = schema is not None and request.schema_by_tool_call
        for call in response.tool_calls:
            name = call["name"]
            if name in tools:
                yield from self._against(tools[name], call["args"], f"the call to {name!r}", unread)
            elif carries and schema is not None:
                yield from self._against(schema, call["args"], "the answer", unread)
            elif len(tools) == len(request.tools):  # a provider's own tools have names that nobody states
                yield "it calls a tool that does not exist"
        if schema is not None and not response.tool_calls:
            yield from self._text(schema, said(response), unread)

    def _text(self, schema: Mapping[str, Any], text: str, unread: list[str]) -> Iterator[str]:
        try:
            data = json.loads(_unfenced(text), parse_constant=_refuse)
        except (ValueError, RecursionError):
            yield "the answer is not JSON"
            return
        if not isinstance(data, dict):
            yield "the answer is not a JSON object"
        else:
            yield from self._against(schema, data, "the answer", unread)

    def _against(
        self, schema: Mapping[str, Any], data: object, what: str, unread: list[str]
    ) -> Iterator[str]:
        try:
            where = violation(schema, data)
        except NotReadableError as error:
            unread.append(f"{what} is not checked: its schema {error}")
            self._warn(unread[-1])
        else:
            if where is not None:
                yield f"{what} breaks its schema at {where}"

    def _warn(self, what: str) -> None:
        if what not in self._warned and len(self._warned) < _MOST_WARNED:
            self._warned.add(what)
            _logger.warning("%s. Correct the schema; until then such answers pass.", what)

    def __repr__(self) -> str:
        return "SchemaCheck()"


def _unwrapped(schema: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the schema itself where OpenAI's form holds it with a name."""
    inner = None if schema is None else schema.get("schema")  # no keyword of JSON schema itself
    return inner if isinstance(inner, Mapping) else schema


def _tools(request: RoutingRequest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the name and the schema of each tool that has them, in OpenAI's form or Anthropic's."""
    for tool in request.tools:
        inner = tool.get("function")
        stated = inner if isinstance(inner, Mapping) else tool
        schema = stated.get("parameters", stated.get("input_schema", {}))
        if isinstance(stated.get("name"), str) and isinstance(schema, Mapping):
            yield stated["name"], schema


def _unfenced(text: str) -> str:
    """Return what stands in the only code block of a text; the text where there is none, or several."""
    blocks = _FENCED.findall(text) if "```" in text else []
    return blocks[0] if len(blocks) == 1 and not text.lstrip().startswith("{") else text


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
