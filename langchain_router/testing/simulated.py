"""A provider that speaks OpenAI's chat API over real HTTP on this machine, and costs nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from types import TracebackType
from typing import Any, Self

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.answers import (
    AnswerSource,
    SimulatedModel,
    SimulatedPrompt,
    SkilledAnswers,
    instances,
)
from langchain_router.testing.api_errors import ApiError
from langchain_router.testing.chat_request import ChatRequest, parse_chat_request
from langchain_router.testing.loopback import LoopbackServer, Reply
from langchain_router.testing.openai_api import (
    Answer,
    completion,
    dump,
    events,
    finish,
    model_card,
    model_list,
)
from langchain_router.testing.provider_faults import Fault, FaultQueue
from langchain_router.testing.recorded import RecordedAnswers
from langchain_router.testing.replay import ReplayRow

_CHAT = "/v1/chat/completions"
_MODELS = "/v1/models"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """One HTTP request that reached the provider.

    Attributes:
        model: The model named, or "" where the request names none.
        path: The path asked for.
        stream: Whether a stream was asked for.
        status: HTTP status of the reply; 0 where none is sent (`hang`, `cut_stream`).
        tools: Whether tools were offered.
        input_tokens: Prompt tokens billed; 0 for errors.
        output_tokens: Answer tokens billed; 0 for errors.
        body: The request's body, only with `keep_bodies=True`.
    """

    model: str
    path: str
    stream: bool
    status: int
    tools: bool
    input_tokens: int = 0
    output_tokens: int = 0
    body: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)


class SimulatedProvider:
    """A real HTTP server on 127.0.0.1 that answers like OpenAI's chat API.

    For tests of anything that talks to a provider: LiteLLM, LangChain models, retries, timeouts, costs.
    Use it as a context manager, or call `start` and `close`; after `close` nothing is left running. All
    API keys are accepted, and none is read. Prefer a scripted chat model where HTTP does not matter.

    Args:
        models: The models on offer.
        prompts: Prompts with known answers; whether a model is right on one is explained in
            `SkilledAnswers`.
        answers: Decides the answers instead of `models` and `prompts`.
        seed: Another seed makes other prompts go wrong.
        time_scale: Multiplies all latency; 0 does not wait at all, 1 waits as long as the models say.
        port: 0 takes a free port.
        keep_bodies: Whether `requests` keeps what was asked. Off, no prompt text is kept anywhere.

    Raises:
        ConfigurationError: If there is no model, what is given is none, or both `models` and `answers` are
            given.

    Example:
        >>> small = SimulatedModel(name="small", input_usd_per_million=0.1, output_usd_per_million=0.4)
        >>> with SimulatedProvider([small]) as provider:
        ...     provider.base_url.endswith("/v1"), provider.models, provider.requests
        (True, ('small',), ())
    """

    def __init__(
        self,
        models: Iterable[SimulatedModel] = (),
        *,
        prompts: Iterable[SimulatedPrompt] = (),
        answers: AnswerSource | None = None,
        seed: int = 0,
        time_scale: float = 0.0,
        port: int = 0,
        keep_bodies: bool = False,
    ) -> None:
        models = instances("models", models, SimulatedModel)
        prompts = instances("prompts", prompts, SimulatedPrompt)
        if answers is not None and (models or prompts):
            raise ConfigurationError("Write either models= and prompts=, or answers=: both would answer.")
        if not time_scale >= 0:
            raise ConfigurationError(f"time_scale is {time_scale!r}; write 0 (no waiting) or more.")
        self._answers = SkilledAnswers(models, prompts, seed=seed) if answers is None else answers
        self._time_scale = time_scale
        self._wanted_port = port
        self._keep_bodies = keep_bodies
        self._server: LoopbackServer | None = None
        self._lock = threading.Lock()
        self._seen: list[SeenRequest] = []
        self._serials = count(1)
        self._faults = FaultQueue(self._answers.model_names)

    @classmethod
    def recorded(
        cls, rows: Iterable[ReplayRow], *, time_scale: float = 0.0, port: int = 0, keep_bodies: bool = False
    ) -> Self:
        """Serve what real models once answered, with their recorded token counts; see `RecordedAnswers`.

        Args:
            rows: From `read_replay`.
            time_scale: Multiplies recorded latencies; rows without one do not wait.
            port: 0 takes a free port.
            keep_bodies: Whether `requests` keeps what was asked.

        Raises:
            ConfigurationError: If there is no recorded outcome.
        """
        return cls(answers=RecordedAnswers(rows), time_scale=time_scale, port=port, keep_bodies=keep_bodies)

    def start(self) -> Self:
        """Listen; a provider that was closed may be started again, on another port unless one was given."""
        if self._server is not None:
            raise ConfigurationError(f"The simulated provider already listens on port {self._server.port}.")
        self._server = LoopbackServer(self._respond, port=self._wanted_port)
        return self

    def close(self) -> None:
        """Stop listening, drop open connections and wait for their threads; may be called twice."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """Where the API begins, ending in `/v1`; what clients call `api_base` or `base_url`.

        Raises:
            ConfigurationError: If the provider is not started.
        """
        if self._server is None:
            raise ConfigurationError("The simulated provider is not started; use it in a with block.")
        return f"http://127.0.0.1:{self._server.port}/v1"

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models on offer."""
        return self._answers.model_names

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """Every HTTP request so far; one is listed as soon as its answer is decided, before any waiting."""
        with self._lock:
            return tuple(self._seen)

    def score(self, model: str, prompt_text: str) -> float:
        """Return how good that model's answer to that prompt is, 0..1, without asking it.

        Raises:
            ConfigurationError: If the model or the prompt is not known.
        """
        return self._answers.score(model, prompt_text)

    def fail(
        self,
        model: str,
        status: int = 429,
        *,
        times: int | None = 1,
        retry_after_s: float | None = None,
        code: str | None = None,
    ) -> None:
        """Answer the model's next requests with an error. Faults of one model happen in the order given.

        Args:
            model: One of `models`.
            status: 400 to 599.
            times: How many requests; None means until `heal`.
            retry_after_s: Sent as `Retry-After`.
            code: OpenAI's code, e.g. `"context_length_exceeded"` or `"insufficient_quota"`; None takes
                the status's usual one.

        Raises:
            ConfigurationError: If the model is unknown or a number is out of range.
        """
        if not 400 <= status <= 599:
            raise ConfigurationError(f"status is {status!r}; an error has 400 to 599.")
        error = ApiError(status, code=code, retry_after_s=retry_after_s)
        self._faults.add(model, Fault(left=times, error=error))

    def hang(self, model: str, *, times: int | None = 1, limit_s: float = 60.0) -> None:
        """Send no answer to the model's next requests, and drop the connection after `limit_s` seconds.

        For timeouts. `time_scale` does not shorten it; `close` does.
        """
        self._faults.add(model, Fault(left=times, hang_s=limit_s))

    def cut_stream(self, model: str, *, after_events: int, times: int | None = 1) -> None:
        """Break the model's next answers off: streams after so many events, others without any answer.

        Args:
            model: One of `models`.
            after_events: Events sent before the connection drops; the first one carries only the role.
            times: How many requests; None means until `heal`.
        """
        self._faults.add(model, Fault(left=times, cut_after=after_events))

    def heal(self, model: str) -> None:
        """Forget the faults still to come for a model."""
        self._faults.clear(model)

    def _respond(self, method: str, path: str, raw: bytes) -> Reply:
        """Answer one HTTP request; called in the connection's own thread."""
        seen = SeenRequest(model="", path=path, stream=False, status=0, tools=False)
        try:
            if (method, path) == ("POST", _CHAT):
                reply, seen = self._chat(parse_chat_request(raw), raw)
            elif (method, path) == ("GET", _MODELS):
                reply = Reply(body=model_list(self.models))
            elif method == "GET" and path.removeprefix(f"{_MODELS}/") in self.models:
                reply = Reply(body=dump(model_card(path.removeprefix(f"{_MODELS}/"))))
            else:
                raise ApiError(404, f"Invalid URL ({method} {path})", code="unknown_url")
        except ApiError as error:
            reply = _refusal(error)
        with self._lock:
            self._seen.append(replace(seen, status=reply.status))
        return reply

    def _chat(self, request: ChatRequest, raw: bytes) -> tuple[Reply, SeenRequest]:
        seen = SeenRequest(
            model=request.model,
            path=_CHAT,
            stream=request.stream,
            status=0,
            tools=bool(request.tools),
            body=json.loads(raw) if self._keep_bodies else None,
        )
        try:
            self._check_model(request.model)
            fault = self._faults.take(request.model)
            if fault is not None and fault.error is not None:
                return _refusal(fault.error), seen
            if fault is not None and fault.hang_s is not None:
                return Reply(status=0, wait_s=fault.hang_s, dropped=True), seen
            answer = finish(self._answers.answer(request), request)
        except ApiError as error:
            return _refusal(error), seen
        except ConfigurationError as error:  # a JSON schema without an instance
            return _refusal(ApiError(400, str(error), code="invalid_schema")), seen
        seen = replace(seen, input_tokens=answer.input_tokens or 0, output_tokens=answer.output_tokens or 0)
        return self._written(answer, request, None if fault is None else fault.cut_after), seen

    def _check_model(self, model: str) -> None:
        if model not in self.models:
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise ApiError(404, message, code="model_not_found")

    def _written(self, answer: Answer, request: ChatRequest, cut_after: int | None) -> Reply:
        serial = next(self._serials)
        answer_id, headers = f"chatcmpl-{serial:08d}", {"x-request-id": f"req_{serial:08d}"}
        wait_s, generation_s = answer.latency_s * self._time_scale, answer.generation_s * self._time_scale
        if request.stream:
            sent = list(events(answer, request, id=answer_id))
            return Reply(
                events=sent[:cut_after],
                headers=headers,
                wait_s=wait_s,
                pause_s=generation_s / len(sent),
                dropped=cut_after is not None,
            )
        if cut_after is not None:
            return Reply(status=0, wait_s=wait_s, dropped=True)
        return Reply(
            body=completion(answer, request, id=answer_id), headers=headers, wait_s=wait_s + generation_s
        )


def _refusal(error: ApiError) -> Reply:
    return Reply(status=error.status, body=error.body, headers=error.headers)
