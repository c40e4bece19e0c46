"""Answers that real models once gave, served again."""

from __future__ import annotations

from collections.abc import Iterable

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.api_errors import ApiError
from langchain_router.testing.chat_request import ChatRequest
from langchain_router.testing.openai_api import Answer
from langchain_router.testing.replay import ReplayOutcome, ReplayRow

NO_TEXT = "[The recording holds a score for this answer, but not its text.]"
"""What is answered where a row was recorded without its response."""


class RecordedAnswers:
    """Serves each model's recorded answer to each recorded prompt, with its recorded token counts.

    A prompt is known by the last user message's text without the white space around it. Where several
    rows share a prompt's text the first one is served. Tools and response formats are ignored: what was
    recorded is what is answered. Prefer `SkilledAnswers` for tools, structured output, and prompts of
    your own.

    Args:
        rows: From `read_replay`.

    Raises:
        ConfigurationError: If there is no row with an outcome.
    """

    def __init__(self, rows: Iterable[ReplayRow]) -> None:
        self._rows: dict[str, ReplayRow] = {}
        names: dict[str, None] = {}
        for row in rows:
            self._rows.setdefault(row.prompt.strip(), row)
            names.update(dict.fromkeys(row.outcomes))
        self._names = tuple(names)
        if not names:
            raise ConfigurationError("There are no recorded answers to serve: the rows hold no outcome.")

    @property
    def model_names(self) -> tuple[str, ...]:
        """Every model that answered at least one prompt, in order of appearance."""
        return self._names

    def answer(self, request: ChatRequest) -> Answer:
        """Answer as the model did; raise a 404 where nothing was recorded."""
        outcome = self._outcome(request.model, request.last_user_text)
        if outcome is None:
            raise ApiError(
                404,
                f"There is no recorded answer of model `{request.model}` to this prompt; "
                f"{len(self._rows)} prompts are recorded.",
                code="recording_not_found",
                param="messages",
            )
        return Answer(
            text=NO_TEXT if outcome.response is None else outcome.response,
            input_tokens=outcome.input_tokens,
            output_tokens=outcome.output_tokens,
            latency_s=outcome.latency_s or 0.0,
        )

    def score(self, model: str, prompt_text: str) -> float:
        """Return the recorded score of that model's answer.

        Raises:
            ConfigurationError: If nothing was recorded for that model and prompt.
        """
        outcome = self._outcome(model, prompt_text)
        if outcome is None:
            raise ConfigurationError(
                f"No score: nothing is recorded for model {model!r} and this prompt; "
                f"{len(self._rows)} prompts are recorded for {', '.join(self._names)}."
            )
        return outcome.score

    def _outcome(self, model: str, prompt_text: str) -> ReplayOutcome | None:
        row = self._rows.get(prompt_text.strip())
        return row.outcomes.get(model) if row else None
