"""An instance of a JSON schema, filled from a text where the text offers something."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.hints import Hints

_FORMATS = {
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}
_WHOLE_TEXT_NAMES = frozenset({"query", "question", "text", "input", "prompt", "message", "request"})
_MAX_TEXT_CHARS = 200
_CHOICES = frozenset({"const", "enum", "anyOf", "oneOf"})
_TYPES_BY_KEYWORD = {
    "properties": "object",
    "additionalProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minimum": "number",
    "maximum": "number",
}


def schema_instance(schema: Mapping[str, Any], *, text: str = "") -> Any:
    """Return a value that satisfies a JSON schema, the way a sensible model would fill it in.

    Numbers and names come from `text`, each used once and in order; what the text does not offer is
    filled with a plain default. Properties are those listed as required, or all when none is. Always the
    same for the same arguments.

    Understood: `type` (also as a list), `properties`, `required`, `items`, `prefixItems`, `minItems`,
    `uniqueItems`, `enum`, `const`, `anyOf`, `oneOf`, `allOf`, `$ref` within the schema (recursive ones
    too), bounds and `multipleOf`, string lengths, common formats, `minProperties`. A string with a
    `pattern` takes the schema's own `examples` or `default`. Not understood, hence not guaranteed:
    `not`, `if`, `dependentRequired`, `patternProperties`.

    Args:
        schema: A JSON schema of any draft from 7 on.
        text: Where to look for numbers, quoted words and proper names.

    Raises:
        ConfigurationError: If the schema has no instance that ends, is malformed, or points to a definition
            it lacks.

    Example:
        >>> schema_instance(
        ...     {"properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 7}}},
        ...     text="The weather in Paris for 3 days",
        ... )
        {'city': 'Paris', 'days': 3}
    """
    try:
        return _Filler(schema, Hints(text)).value(schema, "value", ())
    except _EndlessError:
        raise ConfigurationError(
            "The JSON schema has no finite instance: it requires itself. Make that property optional."
        ) from None
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"The JSON schema is malformed ({type(error).__name__}: {error})."
        ) from error


class _EndlessError(Exception):
    """This branch of the schema requires itself; another branch may end."""


class _Filler:
    """Walks one schema; `path` holds the references being resolved, so that recursion is seen."""

    def __init__(self, root: Mapping[str, Any], hints: Hints) -> None:
        self._root = root
        self._hints = hints

    def value(self, schema: Mapping[str, Any] | bool, name: str, path: tuple[str, ...]) -> Any:
        if isinstance(schema, bool):
            return name
        schema, path = self._resolved(schema, path)
        return (
            self._chosen(schema, name, path) if _CHOICES & schema.keys() else self._typed(schema, name, path)
        )

    def _chosen(self, schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> Any:
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choice(schema["enum"])
        return self._first_finite(schema, "anyOf" if "anyOf" in schema else "oneOf", name, path)

    def _typed(self, schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> Any:
        match _kind(schema):
            case "object":
                return self._object(schema, path)
            case "array":
                return self._array(schema, name, path)
            case "integer" | "number" as kind:
                return self._number(schema, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
        return self._string(schema, name)

    def _resolved(
        self, schema: Mapping[str, Any], path: tuple[str, ...]
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """Follow `$ref` and fold `allOf` until neither is left."""
        while "$ref" in schema or "allOf" in schema:
            rest = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
            parts: list[Mapping[str, Any]] = list(schema.get("allOf", ()))
            if "$ref" in schema:
                pointer = schema["$ref"]
                if pointer in path:
                    raise _EndlessError
                path = (*path, pointer)
                parts.append(self._definition(pointer))
            schema = _merged([*parts, rest])
        return schema, path

    def _definition(self, pointer: str) -> Mapping[str, Any]:
        if not pointer.startswith("#"):
            raise ConfigurationError(
                f"Cannot follow {pointer!r}: write a reference within the schema, '#/…'."
            )
        node: Any = self._root
        for part in pointer.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, Mapping) or key not in node:
                raise ConfigurationError(f"The JSON schema points to {pointer!r}, which it does not define.")
            node = node[key]
        if not isinstance(node, Mapping):
            raise TypeError(f"{pointer!r} is not a schema")
        return node

    def _first_finite(self, schema: Mapping[str, Any], keyword: str, name: str, path: tuple[str, ...]) -> Any:
        rest = {key: value for key, value in schema.items() if key != keyword}
        options = [_merged([rest, option]) for option in schema[keyword] if isinstance(option, Mapping)]
        for option in sorted(options, key=lambda option: option.get("type") == "null"):
            try:
                return self.value(option, name, path)
            except _EndlessError:
                continue
        raise _EndlessError

    def _object(self, schema: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        properties: Mapping[str, Any] = schema.get("properties", {})
        required: Sequence[str] = schema.get("required", ())
        filled: dict[str, Any] = {}
        for name in required or properties:
            try:
                filled[name] = self.value(properties.get(name, True), name, path)
            except _EndlessError:
                if name in required:
                    raise
        extra = schema.get("additionalProperties", True)
        while len(filled) < schema.get("minProperties", 0):
            name = f"key_{len(filled) + 1}"
            filled[name] = self.value(extra, name, path)
        return filled

    def _array(self, schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> list[Any]:
        least = schema.get("minItems", 0)
        fixed = [self.value(item, name, path) for item in schema.get("prefixItems", ())]
        items = schema.get("items", not fixed)
        wanted = min(max(least, 1), schema.get("maxItems", math.inf))
        try:
            while len(fixed) < wanted and items is not False:
                item = self.value(items, name, path)
                fixed.append(self._distinct(item, fixed, items) if schema.get("uniqueItems") else item)
        except _EndlessError:
            if len(fixed) < least:
                raise
        return fixed

    def _distinct(self, item: Any, taken: list[Any], schema: Mapping[str, Any] | bool) -> Any:
        """Return the item, or a sibling of it that the array does not hold yet."""
        choices = self._resolved(schema, ())[0].get("enum", ()) if isinstance(schema, Mapping) else ()
        step = 0
        while item in taken and step <= len(taken):
            step += 1
            if choices:
                item = choices[step % len(choices)]
            elif isinstance(item, str):
                item = f"{item} {len(taken) + 1}"
            elif isinstance(item, (int, float)):
                item += 1
        return item

    def _choice(self, options: Sequence[Any]) -> Any:
        """Return the option that the text names, else the first."""
        text = self._hints.text.casefold()
        named = (
            option for option in options if isinstance(option, str) and option and option.casefold() in text
        )
        return next(named, options[0])

    def _number(self, schema: Mapping[str, Any], *, whole: bool) -> int | float:
        fitting = [
            number for number in _numbers(schema, self._hints.take_number()) if _fits(number, schema, whole)
        ]
        if not fitting:
            raise ConfigurationError("The JSON schema has no instance: no number lies within its bounds.")
        return int(fitting[0]) if whole else fitting[0]

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        if "pattern" in schema:
            known = [*schema.get("examples", ()), schema.get("default")]
            return next((example for example in known if isinstance(example, str)), name)
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        if name in _WHOLE_TEXT_NAMES and self._hints.text:
            text = self._hints.text
        else:
            text = self._hints.take_name() or f"a simulated {name.replace('_', ' ')}"
        least = schema.get("minLength", 0)
        return text.ljust(least, ".")[: schema.get("maxLength", max(least, _MAX_TEXT_CHARS))]


def _kind(schema: Mapping[str, Any]) -> str:
    declared = schema.get("type")
    if isinstance(declared, str):
        return declared
    if isinstance(declared, Sequence):
        return next((kind for kind in declared if kind != "null"), "null")
    return next((kind for keyword, kind in _TYPES_BY_KEYWORD.items() if keyword in schema), "string")


def _numbers(schema: Mapping[str, Any], offered: float | None) -> Iterator[int | float]:
    """Yield what may fit, the most natural first: what the text offers, 1, 0, and what lies at the bounds."""
    yield from (() if offered is None else (offered,))
    step = schema.get("multipleOf", 1)
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    yield from (1, 0, step)
    if math.isfinite(low):
        yield from (low, math.ceil(low / step) * step, (math.floor(low / step) + 1) * step)
    if math.isfinite(high):
        yield from (high, math.floor(high / step) * step, (math.ceil(high / step) - 1) * step)
    if math.isfinite(low + high):
        yield (low + high) / 2


def _fits(number: float, schema: Mapping[str, Any], whole: bool) -> bool:
    step = schema.get("multipleOf")
    return (
        number >= schema.get("minimum", -math.inf)
        and number > schema.get("exclusiveMinimum", -math.inf)
        and number <= schema.get("maximum", math.inf)
        and number < schema.get("exclusiveMaximum", math.inf)
        and (not whole or number == int(number))
        and (not step or math.isclose(round(number / step) * step, number))
    )


def _merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Fold schemas into one that demands what each of them demands."""
    merged: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = [
                    *merged.get(key, ()),
                    *(name for name in value if name not in merged.get(key, ())),
                ]
            else:
                merged[key] = value
    return merged
