"""`RoutingCallbackHandler`: hears what becomes of an answer further on in its trace."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.tools import ToolException

from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.hooks.outbox import Outbox
from langchain_router.outcomes.hooks.refusals import (
    UNPARSED,
    is_of_a_program,
    is_of_arguments,
    is_of_handled_arguments,
    is_whole,
    refusals_in,
)
from langchain_router.outcomes.hooks.traces import MANY, Recent, Run, Traces, decisions_on, expected_of
from langchain_router.wording import kind_of

_logger = logging.getLogger("langchain_router")

WEIGHTS: Final[Mapping[str, float | None]] = {
    "structured_output": 0.5,
    "tool_arguments": 0.5,
    "parser": 0.0,
    "tool": None,
    "chain": None,
}
"""What each signal weighs unless told otherwise; see `RoutingCallbackHandler`."""

_PER_ATTEMPT: Final = ("structured_output", "tool_arguments")


def _quietly(hook: Callable[..., None]) -> Callable[..., None]:
    """Let a hook raise nothing: what listens must not break what it listens to."""

    @functools.wraps(hook)
    def heard(self: RoutingCallbackHandler, *args: Any, **kwargs: Any) -> None:
        try:
            hook(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - as said
            self.failures += 1
            _logger.debug("%s failed (%s)", hook.__name__, type(error).__name__)

    return heard


class RoutingCallbackHandler(BaseCallbackHandler):
    """Feeds back to a router what becomes of its answers further on in the same trace.

    A `ChatRouter` whose store lasts has one that hears every trace of the process, so there is nothing to do.
    Without such a store, or for weights of your own, pass one to the outermost call:
    `chain.invoke(input, {"callbacks": [handler]})`. It tells whose model
    produced a step by the message that the step works on, by the id of a tool call, or by the runs around it
    where only one decision was made there; what could be several decisions' doing is nobody's. It also links
    every run of the trace above a model to the decision, so that feedback by run id finds it; the last
    decision of a run counts.

    Signals, each a key of its own, by the source `"hook:<key>"`:

    - `structured_output`: the answer fits the schema that the model was given, or does not.
    - `tool_arguments`: the tool takes the arguments, or refuses them by its own schema.
    - `parser`: an output parser fails, or reads the answer. What a parser cannot read is often right all the
      same, which is why this is noted but counts nothing unless you say so.
    - `tool`: the tool says that it cannot do as it is told (`ToolException`).
    - `chain`: what comes after the answer raises. That says little of the answer.

    A failure scores 0. A success says only that the answer could be used, so its score is the quality that
    was expected anyhow: it moves nothing by itself, but makes the failures a share of something.

    Prefer `record_feedback` for what you or your users know.

    Args:
        store: An `OutcomeStore`, or a router that has one.
        weights: By key, how much it counts, 0..1; 0 to note failures without counting them, None to leave
            them out. Keys that are not given keep their defaults.
        most_runs: How many runs under way, messages and tool calls to remember.
        most_decisions: Take in only what concerns decisions that `made` told of, and remember so many of
            them; None takes in all.

    Attributes:
        failures: How often a hook failed, which is logged and goes no further.
        outbox: What was noted and is not stored yet.

    Raises:
        ConfigurationError: There is no store, or a weight is none.

    Example:
        >>> from langchain_router.outcomes.storing.memory_store import MemoryStore
        >>> handler = RoutingCallbackHandler(MemoryStore(), weights={"parser": 0.25})
        >>> handler.weights["parser"], handler.weights["tool_arguments"]
        (0.25, 0.5)
    """

    def __init__(
        self,
        store: Any,
        *,
        weights: Mapping[str, float | None] | None = None,
        most_runs: int = 10_000,
        most_decisions: int | None = None,
    ) -> None:
        super().__init__()
        self._store = _store_of(store)
        self.weights = _checked({**WEIGHTS, **(weights or {})})
        self.outbox = Outbox(self._store)
        self.failures = 0
        self._traces = Traces(most_runs)
        self._sent: Recent[tuple[str, str], float] = Recent(most_runs)
        self._made: Recent[str, bool] | None = None if most_decisions is None else Recent(most_decisions)

    def made(self, decision_id: str) -> None:
        """Take in from now on what concerns this decision."""
        if self._made is not None:
            self._made[decision_id] = True

    def flush(self) -> int:
        """Store what was noted so far; return how many pieces of feedback were lost in all."""
        return self.outbox.flush()

    # --- models ---------------------------------------------------------------------------------

    @_quietly
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 - part of the hook
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Note whose model is called."""
        run = self._traces.began(run_id, parent_run_id)
        for answer, key in refusals_in(messages[0] if messages else ()):
            self._failed(tuple(decisions_on(answer)), key, "refused by the agent")
        decision, role = _decision_in(metadata)
        if decision is None or not self._concerns(decision):
            return
        run.reads, run.expected = (decision,), _expected_in(metadata)
        for key in _PER_ATTEMPT:
            self._take_back(decision, key)
        for linked in self._traces.produced(run_id, decision, is_draft=role != "answer"):
            self._store.linked(decision, str(linked))

    @_quietly
    def on_llm_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 - part of the hook
        prompts: list[str],  # noqa: ARG002
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **_: Any,
    ) -> None:
        """Note a run; a model that completes text is no candidate."""
        self._traces.began(run_id, parent_run_id)

    @_quietly
    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:
        """Note what the model said, and whether it calls tools in a way that cannot be read."""
        run = self._traces.ended(run_id)
        if run is None or not run.reads:
            return
        message = getattr(response.generations[0][0], "message", None)
        if not isinstance(message, AIMessage):
            return
        self._traces.said(run, run.reads[0], message)
        if message.invalid_tool_calls:
            self._failed(run.reads, "tool_arguments", "InvalidToolCall")

    @_quietly
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002
        """Forget a run; why a model failed is in the outcome already."""
        self._traces.ended(run_id)

    # --- parsers and chains ---------------------------------------------------------------------

    @_quietly
    def on_chain_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 - part of the hook
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        run_type: str | None = None,
        **_: Any,
    ) -> None:
        """Note a run, and whose answer it works on if it is a parser."""
        run = self._traces.began(run_id, parent_run_id)
        if run_type != "parser":
            return
        run.is_parser = True
        decision, _role = _decision_in(metadata)
        if decision is not None and self._concerns(decision):
            run.is_inside, run.reads, run.expected = True, (decision,), _expected_in(metadata)
        else:
            run.reads, run.expected = self._traces.behind(run, inputs), expected_of(inputs)

    @_quietly
    def on_chain_end(self, outputs: Any, *, run_id: UUID, inputs: Any = None, **_: Any) -> None:
        """Take a parser's result in."""
        run = self._ended(run_id)
        if run is None or not run.is_parser:
            return
        key = "structured_output" if run.is_inside else "parser"
        if inputs is not None:  # of a stream: only now is it known what was parsed
            if isinstance(inputs, AIMessageChunk) and not is_whole(inputs):
                return
            if not run.is_inside:
                run.reads, run.expected = self._traces.behind(run, inputs), expected_of(inputs)
        if outputs is None and (run.is_inside or inputs is not None):
            self._failed(run.reads, key, "nothing parsed")
        elif outputs is not None and not isinstance(outputs, str):  # who returns text has parsed nothing
            self._succeeded(run.reads, key, run.expected)

    @_quietly
    def on_chain_error(self, error: BaseException, *, run_id: UUID, inputs: Any = None, **_: Any) -> None:
        """Take in that a parser, or what comes after an answer, has failed."""
        run = self._ended(run_id)
        if run is None:
            return
        answer = getattr(error, "ai_message", None)  # of an agent's structured output
        if isinstance(answer, AIMessage):
            self._failed(self._traces.behind(run, answer), "structured_output", type(error).__name__)
        elif run.is_parser and isinstance(error, UNPARSED):
            reads = run.reads or self._traces.behind(run, inputs)
            key = "structured_output" if run.is_inside else "parser"
            self._failed(reads, key, type(error).__name__)
        elif run.decision not in (None, MANY) and is_of_a_program(error):
            self._failed((str(run.decision),), "chain", type(error).__name__)

    # --- tools ----------------------------------------------------------------------------------

    @_quietly
    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,  # noqa: ARG002 - part of the hook
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tool_call_id: str | None = None,
        **_: Any,
    ) -> None:
        """Note who called the tool."""
        run = self._traces.began(run_id, parent_run_id)
        caller = self._traces.caller(run, tool_call_id, (serialized or {}).get("name"))
        if caller is not None:
            run.reads, run.expected = (caller.decision,), caller.expected

    @_quietly
    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        """Take in that a tool has run, or that it has answered with an error."""
        run = self._ended(run_id)
        if run is None or not run.reads:
            return
        if not (isinstance(output, ToolMessage) and output.status == "error"):
            self._succeeded(run.reads, "tool_arguments", run.expected)
        elif is_of_handled_arguments(output):
            self._failed(run.reads, "tool_arguments", "ValidationError")

    @_quietly
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """Take in why a tool has failed: by the arguments, or by itself."""
        run = self._ended(run_id)
        if run is None or not run.reads:
            return
        if is_of_arguments(error):
            self._failed(run.reads, "tool_arguments", type(error).__name__)
        elif isinstance(error, ToolException):
            self._failed(run.reads, "tool", type(error).__name__)

    # --- what is made of it ---------------------------------------------------------------------

    def _ended(self, run_id: UUID) -> Run | None:
        """Forget a run and return it; from now on it stands for the last decision that was made in it."""
        run = self._traces.ended(run_id)
        if run is not None and run.last is not None:
            self._store.linked(run.last, str(run_id))
        return run

    def _failed(self, decisions: Sequence[str], key: str, why: str) -> None:
        self._send(decisions, key, 0.0, self.weights[key], why)

    def _succeeded(self, decisions: Sequence[str], key: str, expected: float | None) -> None:
        if self.weights[key] and expected is not None:
            self._send(decisions, key, expected, self.weights[key], None)

    def _send(
        self, decisions: Sequence[str], key: str, score: float, weight: float | None, why: str | None
    ) -> None:
        if weight is None:
            return
        for decision in filter(self._concerns, decisions):
            before = self._sent.get((decision, key))
            if before is not None and before <= score:  # one refused call of three is a refused answer
                continue
            self._sent[decision, key] = score
            self._add(decision, key, score, weight, why)

    def _concerns(self, decision: str) -> bool:
        return self._made is None or self._made.get(decision) is not None

    def _take_back(self, decision: str, key: str) -> None:
        """Undo what was said of an attempt, now that another is made in its place."""
        if self._sent.pop((decision, key)) is not None:
            self._add(decision, key, 0.0, 0.0, "another attempt was made")

    def _add(self, decision: str, key: str, score: float, weight: float, why: str | None) -> None:
        self.outbox.add(
            Feedback(
                decision_id=decision,
                score=score,
                key=key,
                source=f"hook:{key}",
                weight=weight,
                comment=why,
            )
        )


def _store_of(given: Any) -> Any:
    core = getattr(given, "core", given)  # a chat router's own `store` is only what it was given
    found = given if hasattr(given, "add_feedback") else getattr(core, "store", None)
    if not hasattr(found, "add_feedback") or not hasattr(found, "linked"):
        raise ConfigurationError(
            f"RoutingCallbackHandler needs an outcome store or a router that has one, got {kind_of(given)}."
        )
    return found


def _checked(weights: Mapping[str, float | None]) -> dict[str, float | None]:
    unknown = sorted(weights.keys() - WEIGHTS.keys())
    if unknown:
        raise ConfigurationError(f"No signal is called {unknown[0]!r}; there are {', '.join(WEIGHTS)}.")
    for key, weight in weights.items():
        if weight is not None:
            Feedback(decision_id="-", score=0.0, key=key, weight=weight)  # says what is wrong with it
    return dict(weights)


def _decision_in(metadata: Mapping[str, Any] | None) -> tuple[str | None, str]:
    """Return whose run it is, by the metadata that the router gave it; a judge's answer is nobody's."""
    found = metadata or {}
    role = found.get("router_role", "answer")
    decision = found.get("router_decision_id")
    return (decision if isinstance(decision, str) and role != "judge" else None), role


def _expected_in(metadata: Mapping[str, Any] | None) -> float | None:
    expected = (metadata or {}).get("router_expected_quality")
    return float(expected) if isinstance(expected, (int, float)) and 0 <= expected <= 1 else None
