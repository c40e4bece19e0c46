from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.schema_instance import schema_instance


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    label: Annotated[str, Field(min_length=3, max_length=12)]
    colour: Colour


class Tree(BaseModel):
    name: str
    children: list[Tree]
    parent: Tree | None
    leaf: Leaf


class Everything(BaseModel):
    small: Annotated[int, Field(gt=5, lt=7)]
    share: Annotated[float, Field(gt=0, lt=1)]
    tenth: Annotated[float, Field(ge=0.25, multiple_of=0.1)]
    negative: Annotated[int, Field(le=-40, multiple_of=7)]
    flag: bool
    nothing: None
    kind: Literal["only"]
    either: int | str
    maybe: Leaf | None
    pair: tuple[int, str]
    several: Annotated[list[int], Field(min_length=3, max_length=3)]
    distinct: Annotated[set[Colour], Field(min_length=2)]
    by_name: dict[str, int]
    day: date
    moment: datetime
    id: UUID


@pytest.mark.parametrize("model", [Leaf, Tree, Everything])
def test_an_instance_satisfies_the_pydantic_model_that_the_schema_came_from(model: type[BaseModel]) -> None:
    model.model_validate_json(TypeAdapter(Any).dump_json(schema_instance(model.model_json_schema())))


def test_a_schema_gives_the_same_instance_every_time() -> None:
    schema = Everything.model_json_schema()
    assert schema_instance(schema, text="6 apples") == schema_instance(schema, text="6 apples")


def test_numbers_and_names_come_from_the_text_in_its_order() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "city": {"type": "string"},
            "b": {"type": "number"},
            "who": {"type": "string"},
        },
        "required": ["a", "city", "b", "who"],
    }
    found = schema_instance(
        schema, text="Please send 1,200 crates and -2.5 tons from New York to 'Ada & Co'."
    )
    assert found == {"a": 1200, "city": "Ada & Co", "b": -2.5, "who": "New York"}


def test_a_number_out_of_bounds_is_not_taken_from_the_text() -> None:
    assert schema_instance({"type": "integer", "maximum": 10}, text="take 99") == 1


def test_a_capital_letter_at_the_start_of_a_sentence_is_not_a_name() -> None:
    assert schema_instance({"type": "string"}, text="What now? Use it. Go.") == "a simulated value"


def test_an_apostrophe_opens_no_quotation() -> None:
    assert schema_instance({"type": "string"}, text="it's what I don't know, isn't it") == "a simulated value"


def test_an_enum_takes_the_value_that_the_text_names() -> None:
    assert schema_instance({"enum": ["celsius", "fahrenheit"]}, text="in Fahrenheit please") == "fahrenheit"


def test_optional_properties_are_left_out_where_others_are_required() -> None:
    schema = {"properties": {"a": {"type": "null"}, "b": {"type": "null"}}, "required": ["b"]}
    assert schema_instance(schema) == {"b": None}


def test_all_of_demands_what_each_part_demands() -> None:
    schema = {
        "allOf": [
            {"properties": {"a": {"const": 1}}, "required": ["a"]},
            {"properties": {"b": {"const": 2}}, "required": ["b"]},
        ]
    }
    assert schema_instance(schema) == {"a": 1, "b": 2}


def test_a_pattern_takes_the_schemas_own_example() -> None:
    assert schema_instance({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["ABC"]}) == "ABC"


def test_a_schema_that_requires_itself_is_refused_with_advice() -> None:
    schema = {
        "$ref": "#/$defs/n",
        "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}}, "required": ["next"]}},
    }
    with pytest.raises(ConfigurationError, match="Make that property optional"):
        schema_instance(schema)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "#/$defs/absent"}, "'#/\\$defs/absent', which it does not define"),
        ({"$ref": "https://example.com/schema"}, "write a reference within the schema"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "no number lies within its bounds"),
        ({"enum": []}, "malformed"),
        ({"type": "object", "properties": {"a": 5}}, "malformed"),
    ],
)
def test_a_schema_without_an_instance_says_what_is_wrong(schema: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        schema_instance(schema)
