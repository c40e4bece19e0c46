"""Whether an answer that should be data is data, and holds what was asked for."""

from __future__ import annotations

import re

from langchain_router.checks.final_answers.data import NotJson, embedded_objects, whole_json
from langchain_router.checks.scoring.clues.reading import Answer, Question

NAMES = (
    "asks_json",
    "json_given",
    "json_missing",
    "json_broken",
    "json_has_asked_keys",
    "json_lacks_asked_keys",
    "json_has_gaps",
    "asks_table",
    "table_missing",
)

_ASKS_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_ASKS_TABLE = re.compile(
    r"\b(?:markdown |csv |html )?table\b.{0,30}(?:with|of|that|show|format|:)|\bcsv\b", re.IGNORECASE
)
_KEY = re.compile(r"[\"'`](\w{2,40})[\"'`]")
_ROW = re.compile(
    r"^[^\n|]{0,200}\|[^\n]{1,400}\|[^\n]*$|<tr|^[^\n,]{1,60}(?:,[^\n,]{1,60}){2,}$", re.MULTILINE
)
_MOST_KEYS = 40


def clues(question: Question, answer: Answer) -> tuple[float, ...]:
    """Return what an answer in JSON or in a table shows.

    Example:
        >>> from langchain_router.checks.scoring.clues.reading import read_answer, read_question
        >>> asked = read_question('Return JSON with "name" and "age".')
        >>> seen = dict(zip(NAMES, clues(asked, read_answer('{"name": "Ann", "age": ')), strict=True))
        >>> seen["json_broken"]
        1.0
    """
    in_words, table, named = question.once(_wanted)
    asks = question.asked.schema or in_words
    looks = answer.text.lstrip()[:8].startswith(("{", "[", "```json"))
    value = _value(answer.text) if looks or asks else None
    given = isinstance(value, (dict, list))
    wanted = named if asks else frozenset()
    keys = _keys(value)
    return (
        float(asks),
        float(given),
        float(asks and not given and not looks),
        float(looks and not given),
        float(bool(wanted & keys)),
        float(given and bool(wanted) and not wanted & keys),
        float(isinstance(value, dict) and any(one in (None, "", [], {}) for one in value.values())),
        float(table),
        float(table and _ROW.search(answer.text) is None),
    )


def _wanted(text: str) -> tuple[bool, bool, frozenset[str]]:
    """Return whether a question asks for JSON, whether for a table, and the keys that it names."""
    return (
        _ASKS_JSON.search(text) is not None,
        _ASKS_TABLE.search(text) is not None,
        frozenset(_KEY.findall(text)[:_MOST_KEYS]),
    )


def _value(text: str) -> object:
    found = next(embedded_objects(text), None)
    if found is not None:
        return found
    try:
        return whole_json(text)
    except NotJson:
        return None


def _keys(value: object) -> set[str]:
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, dict)), None)
    return {str(key) for key in list(value)[:_MOST_KEYS]} if isinstance(value, dict) else set()
