"""An answer whose worth is known: what a scorer is fitted on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from langchain_core.messages import AIMessage

from langchain_router.checks.arguments import check_share
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.testing.replay import ReplayRow
from langchain_router.wording import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A prompt, an answer to it, and how good that was.

    Attributes:
        prompt: The request, or the text of its last human message.
        answer: The answer, or its text.
        score: How good it was, 0..1; what lies between counts as partly right. None where it is not known,
            which is enough to ask a scorer.
        seconds: By a candidate's name, what others answered.
        weight: How much it counts, above 0.
        draft: Name of the model that answered, if known.

    Raises:
        ConfigurationError: The score is not from 0 to 1, or the weight not above 0.
    """

    prompt: RoutingRequest | str = field(repr=False)
    answer: AIMessage | str = field(repr=False)
    score: float | None = None
    seconds: Mapping[str, AIMessage | str] = field(default_factory=dict, repr=False, hash=False)
    weight: float = 1.0
    draft: str | None = None

    def __post_init__(self) -> None:
        if self.score is not None:
            check_share("score", self.score)
        if not 0 < self.weight < float("inf"):
            raise ConfigurationError(f"weight must be above 0, got {shown(self.weight)}.")


def examples_from_replay(
    rows: Iterable[ReplayRow], model: str, seconds: Iterable[str] = ()
) -> Iterator[Answered]:
    """Yield what a model answered to recorded prompts; rows without its text, or a second's, are left out.

    Args:
        rows: From `read_replay`.
        model: Whose answers.
        seconds: Models whose answers to the same prompts are compared with.

    Example:
        >>> from langchain_router.testing.replay import ReplayOutcome
        >>> outcomes = {"mini": ReplayOutcome(score=1, response="4")}
        >>> row = ReplayRow(id="1", dataset="", domain="", prompt="2 + 2?", outcomes=outcomes)
        >>> [one.score for one in examples_from_replay([row], "mini")]
        [1]
    """
    others = tuple(seconds)
    for row in rows:
        texts = {
            name: row.outcomes[name].response if name in row.outcomes else None for name in (model, *others)
        }
        said = {name: text for name, text in texts.items() if text is not None}
        if len(said) == len(texts):
            yield Answered(
                prompt=row.prompt,
                answer=said[model],
                score=row.outcomes[model].score,
                seconds={name: said[name] for name in others},
                draft=model,
            )
