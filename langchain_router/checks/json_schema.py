"""Validation by JSON schema, with nothing fetched and nothing of the data in what is said."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

MOST_NESTED = 64
"""Data nested deeper than this is not valid, whatever its schema allows."""


class NotReadableError(ValueError):
    """A schema is faulty itself, or points to what cannot be looked up here."""


def violation(schema: Mapping[str, Any], data: object) -> str | None:
    """Return where in the schema the first rule stands that the data breaks, or None.

    The place is made of the schema's own names, such as `"properties/age/type"`; the data is not quoted.

    Raises:
        NotReadableError: The schema is faulty, or refers to another document.
    """
    validator = _validator(_written(schema))
    if isinstance(validator, str):
        raise NotReadableError(validator)
    if _is_deeper(data, MOST_NESTED):
        return f"a depth of {MOST_NESTED}"
    from referencing.exceptions import Unresolvable

    try:
        error = next(validator.iter_errors(data), None)
    except Unresolvable:
        raise NotReadableError("refers to what is not in it") from None
    except RecursionError:
        raise NotReadableError("refers to itself without end") from None
    except Exception as failure:  # noqa: BLE001 - a pattern that is no regular expression, say
        raise NotReadableError(f"cannot be applied ({type(failure).__name__})") from None
    return None if error is None else "/".join(map(str, error.absolute_schema_path))


def _written(schema: Mapping[str, Any]) -> str:
    try:
        return json.dumps(schema, default=_plain)
    except (TypeError, ValueError, RecursionError):
        raise NotReadableError("is not JSON") from None


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


@functools.lru_cache(maxsize=256)
def _validator(written: str) -> Any:
    """Return a validator for a schema, or in words why there is none."""
    import jsonschema  # type: ignore[import-untyped]
    from referencing import Registry

    dialects = (
        jsonschema.Draft202012Validator,
        jsonschema.Draft201909Validator,
        jsonschema.Draft7Validator,
        jsonschema.Draft6Validator,
        jsonschema.Draft4Validator,
    )
    schema = json.loads(written)
    stated = str(schema.get("$schema", "")).rstrip("#")
    found = (one for one in dialects if one.META_SCHEMA.get("$schema", "").rstrip("#") == stated)
    dialect = next(found, dialects[0])
    try:
        dialect.check_schema(schema)
    except (jsonschema.SchemaError, RecursionError):
        return "is not a valid JSON schema"
    return dialect(schema, registry=Registry())  # one that looks nothing up


def _is_deeper(data: object, limit: int) -> bool:
    level = [data]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
