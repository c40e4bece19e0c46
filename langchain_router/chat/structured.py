"""Structured output through a router: each candidate is asked in its own best way."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from langchain_router.candidates.candidate import Candidate
from langchain_router.chat.calls import RoutedCall, for_schema
from langchain_router.chat.growing import GrowingAnswer
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import ConfigurationError

if TYPE_CHECKING:
    from langchain_router.chat_model import ChatRouter

Method = Literal["json_schema", "function_calling", "json_mode"]
Structured = dict[str, Any] | BaseModel


class StructuredRouter(Runnable[LanguageModelInput, Structured]):
    """What `ChatRouter.with_structured_output` returns.

    The choice falls per call, so the method does too: a candidate with native structured output is asked
    for its JSON schema, another for a tool call. The candidate's own `with_structured_output` builds the
    request and the parser.

    Args:
        router: Who chooses.
        schema: A pydantic class, a `TypedDict` class or a JSON schema.
        include_raw: Return `{"raw", "parsed", "parsing_error"}`.
        method: One method for every candidate, or None for each one's best.
        options: Further arguments of the candidates' `with_structured_output`, e.g. `strict`.

    Raises:
        ConfigurationError: The method is unknown, or the schema cannot be read as one.
    """

    def __init__(
        self,
        router: ChatRouter,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool,
        method: Method | None,
        options: Mapping[str, Any],
    ) -> None:
        if method is not None and method not in get_args(Method):
            raise ConfigurationError(f"method must be one of {', '.join(get_args(Method))}, got {method!r}.")
        try:
            self._json_schema = convert_to_openai_tool(schema)["function"].get("parameters", {})
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"{schema!r} cannot be read as a schema: give a pydantic class, a TypedDict or a JSON schema."
            ) from error
        self._router = router
        self._schema = schema
        self._include_raw = include_raw
        self._method = method
        self._options = {name: value for name, value in options.items() if value is not None}

    def decide(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **options: Any
    ) -> RoutingDecision:
        """Decide who would answer, without calling anyone."""
        return self._router.core.decide(self._call(input, config, options).request)

    def constrained(self, *args: Any, **constraints: Any) -> StructuredRouter:
        """Return the same for a narrowed router; takes what `ChatRouter.constrained` takes."""
        return StructuredRouter(
            self._router.constrained(*args, **constraints),
            self._schema,
            include_raw=self._include_raw,
            method=self._method,
            options=self._options,
        )

    def invoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Structured:
        """Answer by the schema."""
        return self._unwrapped(self._router.run(self._call(input, config, kwargs)))

    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Structured:
        """Answer as `invoke` does."""
        return self._unwrapped(await self._router.arun(self._call(input, config, kwargs)))

    def stream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Structured]:
        """Stream the answer as it takes shape: growing dicts where the parser can, else once, whole."""
        for part in self._router.run_stream(self._call(input, config, kwargs)):
            yield from self._parts(part)

    async def astream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Structured]:
        """Stream as `stream` does."""
        parts = self._router.arun_stream(self._call(input, config, kwargs))
        async with contextlib.aclosing(parts):
            async for part in parts:
                for one in self._parts(part):
                    yield one

    def _call(
        self, input: LanguageModelInput, config: RunnableConfig | None, options: dict[str, Any]
    ) -> RoutedCall:
        stop = options.pop("stop", None)
        call = self._router.prepare(input, config, stop, options, self._bind)
        return for_schema(
            call,
            self._json_schema,
            by_tool_call=self._method in (None, "function_calling"),
            required=self._method != "json_mode",
        )

    def _bind(
        self, candidate: Candidate, model: BaseChatModel, options: Mapping[str, Any]
    ) -> tuple[Runnable[Any, Any], dict[str, Any]]:
        able = candidate.capabilities or frozenset()
        method = self._method or ("json_schema" if "structured_output" in able else "function_calling")
        asked = {"method": method, **self._options}
        chain = model.with_structured_output(self._schema, include_raw=True, **asked)
        if isinstance(chain, StructuredRouter):  # a router as a candidate streams by itself
            return chain, dict(options)
        growing = GrowingAnswer(chain, lambda: model.with_structured_output(self._schema, **asked))
        return growing, dict(options)

    def _unwrapped(self, answer: dict[str, Any]) -> Structured:
        if self._include_raw:
            return answer
        if answer.get("parsing_error") is not None:
            raise answer["parsing_error"]
        parsed: Structured = answer["parsed"]
        return parsed

    def _parts(self, part: dict[str, Any]) -> Iterator[Structured]:
        if self._include_raw:
            yield part
        elif part.get("parsing_error") is not None:
            raise part["parsing_error"]
        elif part.get("parsed") is not None:
            yield part["parsed"]
