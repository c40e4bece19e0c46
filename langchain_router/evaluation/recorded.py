"""Runs a check on recorded answers, as a plan would on fresh ones, and counts what it cost."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.checks.base import Check
from langchain_router.checks.check import Run, Verdict
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.testing.replay import ReplayRow, read_replay

DEVELOPMENT_SHARE = 0.3
"""Share of every data set's rows that models are chosen on; figures are reported on the others."""


_SHOWN_NAMES = 8


class NotRecordedError(LookupError):
    """A check asked a model whose answer was not recorded, such as a judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A data set of prompts with the answers, scores and costs of several models.

    Attributes:
        name: What it is called in reports.
        rows: One for each prompt.
    """

    name: str
    rows: tuple[ReplayRow, ...] = field(repr=False)

    def split(self) -> tuple[Recorded, Recorded]:
        """Return the development rows and the others; which is which depends on a row's id alone."""
        parts: tuple[list[ReplayRow], list[ReplayRow]] = ([], [])
        for row in self.rows:
            parts[0 if is_development(row) else 1].append(row)
        return (
            Recorded(name=self.name, rows=tuple(parts[0])),
            Recorded(name=self.name, rows=tuple(parts[1])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What a check made of a recorded draft.

    Attributes:
        verdict: What it said.
        asked: Names of the models that it asked besides, or that are asked side by side with the draft.
        cost_usd: What their answers cost, in US dollars.
    """

    verdict: Verdict
    asked: tuple[str, ...] = ()
    cost_usd: float = 0.0


def read_set(folder: str | os.PathLike[str], name: str) -> Recorded:
    """Read a data set; `"a+b"` reads the files of both and pools their rows.

    Raises:
        ConfigurationError: The folder holds no such file, or it cannot be read.
    """
    rows: list[ReplayRow] = []
    for one in name.split("+"):
        paths = [Path(folder) / f"{one}{ending}" for ending in (".jsonl.gz", ".jsonl")]
        found = [path for path in paths if path.is_file()]
        if not found:
            raise ConfigurationError(
                f"{str(folder)!r} holds neither {paths[0].name} nor {paths[1].name}. {_instead(Path(folder))}"
            )
        rows += read_replay(found[0])
    return Recorded(name=name, rows=tuple(rows))


def _instead(folder: Path) -> str:
    """Return the sentence that names the data sets which a folder does hold."""
    if not folder.is_dir():
        return "There is no such folder."
    names = sorted({path.name.partition(".jsonl")[0] for path in folder.glob("*.jsonl*") if path.is_file()})
    if not names:
        return "There is no file of recorded answers in it: write NAME.jsonl, one prompt a line."
    shown = ",".join(names[:_SHOWN_NAMES])
    more = f" ({len(names) - _SHOWN_NAMES} more)" if len(names) > _SHOWN_NAMES else ""
    return f"Name what there is: --sets {shown}{more}."


def is_development(row: ReplayRow) -> bool:
    """Say whether a row belongs to the development rows, by a hash of its id.

    Example:
        >>> rows = [ReplayRow(id=str(i), dataset="", domain="", prompt="", outcomes={}) for i in range(1000)]
        >>> 250 < sum(map(is_development, rows)) < 350
        True
    """
    return int(hashlib.sha256(row.id.encode()).hexdigest(), 16) % 10 < DEVELOPMENT_SHARE * 10


def recorded_candidate(model: str) -> Candidate:
    """Return a candidate that stands for a recorded model; calling it is an error."""
    return Candidate(model=_NeverCalled(), name=model)


def review_recorded(check: Check, row: ReplayRow, draft: str, request: RoutingRequest) -> Reviewed:
    """Run a check on what a model is recorded to have answered.

    A second answer is the recorded one of the model asked. A judge's cannot be had, so `NotRecordedError`
    is thrown into the review, as a provider's error would be. Answers carry no finish reason, since none
    was recorded.

    Args:
        check: Any check; its candidates must be named as the recorded models are.
        row: The prompt with its answers.
        draft: The model whose answer is looked at.
        request: From `as_request(row)`.
    """
    asked = {ask.candidate.name for ask in check.seconds}
    review = check.review(request, _answer(row, draft))
    try:
        wanted = next(review)
        while True:
            if isinstance(wanted, Run):
                wanted = review.send(wanted.call())
                continue
            name = wanted.candidate.name
            if wanted.role == "second" and name in row.outcomes:
                asked.add(name)
                wanted = review.send(_answer(row, name))
            else:
                wanted = review.throw(
                    NotRecordedError(f"no answer of {name!r} as a {wanted.role} is recorded")
                )
    except StopIteration as end:
        cost_usd = sum(row.outcomes[name].cost_usd or 0.0 for name in asked if name in row.outcomes)
        return Reviewed(verdict=end.value, asked=tuple(sorted(asked)), cost_usd=cost_usd)


def as_request(row: ReplayRow) -> RoutingRequest:
    """Return the request that a recorded prompt was."""
    return RoutingRequest(messages=(HumanMessage(row.prompt),))


def complete_rows(rows: Iterable[ReplayRow], models: Sequence[str]) -> tuple[ReplayRow, ...]:
    """Return the rows in which all these models answered, at a known cost."""
    return tuple(row for row in rows if all(is_complete(row, model) for model in models))


def is_complete(row: ReplayRow, model: str) -> bool:
    """Say whether a row holds a model's answer and its cost."""
    outcome = row.outcomes.get(model)
    return outcome is not None and outcome.response is not None and outcome.cost_usd is not None


def _answer(row: ReplayRow, model: str) -> AIMessage:
    return AIMessage(row.outcomes[model].response or "")


class _NeverCalled(BaseChatModel):
    def _generate(self, *_: Any, **__: Any) -> Any:
        raise NotRecordedError("a recorded model cannot be called")

    @property
    def _llm_type(self) -> str:
        return "recorded"
