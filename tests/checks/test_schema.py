"""Tool calls and structured answers against their schemas."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from langchain_router import Candidate, CascadePolicy, ChatRouter, RoutingRequest
from langchain_router.checks import SchemaCheck, Verdict
from langchain_router.testing import FaultyChatModel

MESSAGES = (HumanMessage("Weather in Bonn for 3 days?"),)


class Weather(BaseModel):
    """Look up the weather."""

    city: str
    days: int = 1


class Leg(BaseModel):
    city: str
    next: Leg | None = None


class Trip(BaseModel):
    """A journey."""

    first: Leg


WEATHER = convert_to_openai_tool(Weather)
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def look(answer: str | AIMessage, check: SchemaCheck | None = None, **request: Any) -> Verdict:
    message = AIMessage(answer) if isinstance(answer, str) else answer
    return (check or SchemaCheck()).check(RoutingRequest(messages=MESSAGES, **request), message)


def calls(name: str, args: Mapping[str, Any], text: str = "") -> AIMessage:
    return AIMessage(text, tool_calls=[{"name": name, "args": dict(args), "id": "1", "type": "tool_call"}])


def test_a_request_without_tools_and_schema_passes() -> None:
    assert look("Sunny.").passed
    assert look(calls("anything", {})).passed


def test_a_call_with_valid_arguments_passes() -> None:
    assert look(calls("Weather", {"city": "Bonn", "days": 3}), tools=(WEATHER,)).passed


def test_text_instead_of_a_call_passes() -> None:
    assert look("Which Bonn do you mean?", tools=(WEATHER,)).passed


@pytest.mark.parametrize(
    ("args", "place"),
    [
        ({"days": 3}, "required"),
        ({"city": "Bonn", "days": "three"}, "properties/days/type"),
        ({"city": 5}, "properties/city/type"),
    ],
)
def test_a_call_with_invalid_arguments_fails_and_says_where(args: dict[str, Any], place: str) -> None:
    verdict = look(calls("Weather", args), tools=(WEATHER,))
    assert not verdict.passed
    assert verdict.reason == f"the call to 'Weather' breaks its schema at {place}"


def test_one_bad_call_among_good_ones_fails() -> None:
    both = calls("Weather", {"city": "Bonn"})
    both.tool_calls.append({"name": "Weather", "args": {}, "id": "2", "type": "tool_call"})
    assert not look(both, tools=(WEATHER,)).passed


def test_a_call_to_a_tool_that_does_not_exist_fails_without_naming_it() -> None:
    verdict = look(calls("Wether", {"city": "Bonn"}), tools=(WEATHER,))
    assert verdict.reason == "it calls a tool that does not exist"


def test_a_call_that_could_not_be_read_fails() -> None:
    broken: Any = {"name": "Weather", "args": '{"ci', "id": "1", "error": None, "type": "invalid_tool_call"}
    assert (
        look(AIMessage("", invalid_tool_calls=[broken]), tools=(WEATHER,)).reason
        == "a tool call cannot be read"
    )


def test_tools_in_anthropics_form_and_without_a_schema_are_known() -> None:
    anthropic = {"name": "Weather", "input_schema": WEATHER["function"]["parameters"]}
    assert look(calls("Weather", {"city": "Bonn"}), tools=(anthropic,)).passed
    assert not look(calls("Weather", {}), tools=(anthropic,)).passed
    bare = {"type": "function", "function": {"name": "now"}}
    assert look(calls("now", {}), tools=(bare,)).passed


def test_beside_a_providers_own_tool_an_unknown_name_is_not_held_against_it() -> None:
    tools = (WEATHER, {"type": "web_search"})
    assert look(calls("web_search", {"q": "Bonn"}), tools=tools).passed
    assert not look(calls("Weather", {}), tools=tools).passed


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ann", "age": 30}',
        ' \n{"name": "Ann", "age": 30}\n',
        '```json\n{"name": "Ann", "age": 30}\n```',
        '```\n{"name": "Ann", "age": 30}\n```',
        'Here it is:\n```json\n{"name": "Ann", "age": 30}\n```\nAnything else?',
        '<think>Ann, thirty.</think>{"name": "Ann", "age": 30}',
    ],
)
def test_an_answer_by_the_schema_passes_with_or_without_a_fence(text: str) -> None:
    assert look(text, response_schema=PERSON).passed
    assert look(AIMessage([{"type": "text", "text": text}]), response_schema=PERSON).passed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the answer is not JSON"),
        ("Ann is 30.", "the answer is not JSON"),
        ('{"name": "Ann", "age": 30', "the answer is not JSON"),
        ('{"name": "Ann", "age": NaN}', "the answer is not JSON"),
        ('```json\n{"name": "Ann"}\n```\n```json\n{"age": 30}\n```', "the answer is not JSON"),
        ('[{"name": "Ann", "age": 30}]', "the answer is not a JSON object"),
        ("30", "the answer is not a JSON object"),
        ('{"name": "Ann"}', "the answer breaks its schema at required"),
        ('{"name": "Ann", "age": -1}', "the answer breaks its schema at properties/age/minimum"),
        ('{"name": "Ann", "age": 30, "x": 1}', "the answer breaks its schema at additionalProperties"),
        ("[" * 100_000, "the answer is not JSON"),
    ],
)
def test_an_answer_that_is_not_by_the_schema_fails(text: str, why: str) -> None:
    assert look(text, response_schema=PERSON).reason == why


def test_a_tool_call_may_carry_the_answer_where_the_request_lets_it() -> None:
    good, bad = calls("Person", {"name": "Ann", "age": 30}), calls("Person", {"name": "Ann"})
    assert look(good, response_schema=PERSON, schema_by_tool_call=True).passed
    assert (
        look(bad, response_schema=PERSON, schema_by_tool_call=True).reason
        == "the answer breaks its schema at required"
    )
    assert not look(good, response_schema=PERSON).passed


def test_an_agents_step_that_calls_a_bound_tool_needs_no_structured_answer_yet() -> None:
    step = calls("Weather", {"city": "Bonn"}, text="Let me see.")
    for carries in (True, False):
        assert look(step, tools=(WEATHER,), response_schema=PERSON, schema_by_tool_call=carries).passed


def test_openais_form_with_a_name_around_the_schema_is_understood() -> None:
    named = {"name": "person", "schema": PERSON, "strict": True}
    assert look('{"name": "Ann", "age": 30}', response_schema=named).passed
    assert not look('{"name": "Ann"}', response_schema=named).passed


def test_a_schema_with_a_property_called_schema_is_left_as_it_is() -> None:
    schema = {"type": "object", "properties": {"schema": {"type": "string"}}, "required": ["schema"]}
    assert not look("{}", response_schema=schema).passed


def test_an_empty_schema_asks_for_any_json_object() -> None:
    assert look("{}", response_schema={}).passed
    assert not look("Sunny.", response_schema={}).passed


def test_references_within_the_schema_are_followed() -> None:
    schema = Trip.model_json_schema()
    assert look('{"first": {"city": "Bonn", "next": {"city": "Rome"}}}', response_schema=schema).passed
    assert not look('{"first": {"city": "Bonn", "next": {"city": 5}}}', response_schema=schema).passed


def test_data_nested_without_end_is_not_valid() -> None:
    leg: dict[str, Any] = {"city": "Bonn"}
    for _ in range(80):
        leg = {"city": "Bonn", "next": leg}
    verdict = look(json.dumps({"first": leg}), response_schema=Trip.model_json_schema())
    assert verdict.reason == "the answer breaks its schema at a depth of 64"


BROKEN: dict[str, dict[str, Any]] = {
    "an unknown type": {"type": "objekt"},
    "properties that are none": {"type": "object", "properties": []},
    "a pattern that is none": {"properties": {"name": {"pattern": "(("}}},
    "a reference to nothing": {"$ref": "#/$defs/nothing"},
    "a reference to itself": {"$ref": "#"},
    "a reference to an address": {"$ref": "https://example.org/person.json"},
    "a dynamic reference to an address": {"$dynamicRef": "https://example.org/person.json#x"},
    "a reference relative to an address": {"$id": "https://example.org/a.json", "$ref": "b.json"},
}


@pytest.mark.parametrize("schema", BROKEN.values(), ids=BROKEN)
def test_a_faulty_schema_does_not_lose_the_answer(
    schema: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[object] = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **_: fetched.append(args))
    check = SchemaCheck()
    with caplog.at_level(logging.WARNING, logger="langchain_router"):
        for _ in range(3):
            verdict = look('{"name": "Ann Secret"}', check, response_schema=schema)
            assert verdict.passed
            assert verdict.reason.startswith("the answer is not checked: its schema ")
    assert len(caplog.records) == 1
    assert fetched == []
    assert "Secret" not in caplog.text


def test_what_is_wrong_with_a_schema_is_said() -> None:
    for schema, why in (
        ({"type": "objekt"}, "is not a valid JSON schema"),
        ({"$ref": "#"}, "refers to itself without end"),
        ({"$ref": "https://example.org/a.json"}, "refers to what is not in it"),
    ):
        assert look("{}", response_schema=schema).reason == f"the answer is not checked: its schema {why}"


def test_a_faulty_schema_of_one_tool_does_not_hide_a_bad_call_to_another() -> None:
    faulty = {"type": "function", "function": {"name": "now", "parameters": {"type": "objekt"}}}
    both = calls("now", {})
    both.tool_calls.append({"name": "Weather", "args": {}, "id": "2", "type": "tool_call"})
    assert not look(both, tools=(faulty, WEATHER)).passed


def test_a_schema_that_cannot_be_written_as_json_is_faulty_too() -> None:
    endless: dict[str, Any] = {"type": "object"}
    endless["properties"] = {"a": endless}
    assert look("{}", response_schema=endless).reason.startswith("the answer is not checked")


@pytest.mark.parametrize(
    "draft",
    [
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2020-12/schema",
        "https://example.org/mine",
    ],
)
def test_the_schemas_own_dialect_is_used_where_it_is_known(draft: str) -> None:
    schema = {"$schema": draft, **PERSON}
    assert look('{"name": "Ann", "age": 30}', response_schema=schema).passed
    assert not look('{"name": "Ann"}', response_schema=schema).passed


def test_no_reason_holds_a_word_of_the_answer() -> None:
    for text in (
        '{"name": "Ann", "age": 30, "xylophone": 1}',
        '{"name": "Ann", "age": "xylophone"}',
        "xylophone",
    ):
        assert "xylophone" not in look(text, response_schema=PERSON).reason
    assert "xylophone" not in look(calls("xylophone", {}), tools=(WEATHER,)).reason


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


_KEYWORDS = st.sampled_from(
    [
        "type",
        "properties",
        "$ref",
        "$schema",
        "$id",
        "$defs",
        "pattern",
        "enum",
        "items",
        "allOf",
        "if",
        "minimum",
    ]
)


@settings(deadline=None)
@given(st.text() | _JSON.map(json.dumps), st.dictionaries(_KEYWORDS | st.text(), _JSON, max_size=4))
def test_no_answer_and_no_schema_makes_it_raise(text: str, schema: dict[str, Any]) -> None:
    look(text, response_schema=schema)
    look(calls("t", {"a": text}), tools=({"function": {"name": "t", "parameters": schema}},))


def test_its_repr() -> None:
    assert repr(SchemaCheck()) == "SchemaCheck()"


def test_a_schema_given_as_a_dict_is_validated_by_this_check_alone() -> None:
    schema = {
        "title": "Person",
        "description": "A person.",
        "type": "object",
        "properties": {"age": {"type": "integer"}},
        "required": ["age"],
    }

    def tier(name: str, age: object) -> Candidate:
        call: Any = {"name": "Person", "args": {"age": age}, "id": "1", "type": "tool_call"}
        model = FaultyChatModel(answers=[AIMessage("", tool_calls=[call])])
        return Candidate(model=model, name=name, capabilities={"tool_calling", "structured_output"})

    def asked_with(check: object) -> object:
        policy = CascadePolicy([("cheap", check), ("dear", None)])
        router = ChatRouter.from_models(tier("cheap", "thirty"), tier("dear", 30), policy=policy)
        return router.with_structured_output(schema).invoke("How old is Ann?")

    assert asked_with(lambda *_: True) == {"age": "thirty"}, "LangChain only parses it"
    assert asked_with(SchemaCheck()) == {"age": 30}
