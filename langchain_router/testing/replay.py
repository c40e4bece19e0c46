"""Recorded outcomes of real models: what each answered to a prompt, how well, and at what cost."""

from __future__ import annotations

import gzip
import json
import math
import os
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_router.exceptions import ConfigurationError

_SCORE_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOutcome:
    """What one model made of one prompt.

    Attributes:
        score: How good the answer was, 0..1.
        response: The answer's text, or None where it was not kept.
        input_tokens: Tokens of the prompt, where known.
        output_tokens: Tokens of the answer, where known.
        cost_usd: What the call cost, where known.
        cost_kind: `"recorded"` (from the bill), `"estimated"` (tokens times a price list), or None.
        latency_s: How long the call took, where known.
    """

    score: float
    response: str | None = field(default=None, repr=False)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    cost_kind: str | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRow:
    """One prompt with the outcomes of every model that was asked.

    Several rows may share a prompt's text: they stay apart by `id`, and a simulated provider serves
    the first.
    """

    id: str
    dataset: str
    domain: str
    prompt: str = field(repr=False)
    outcomes: Mapping[str, ReplayOutcome] = field(repr=False, hash=False)


def read_replay(path: str | os.PathLike[str]) -> tuple[ReplayRow, ...]:
    """Read a replay file.

    One JSON object a line: `id`, `prompt`, optional `dataset` and `domain`, and `outcomes`, which maps a
    model's name to `{"score", "response"?, "in"?, "out"?, "cost"?, "cost_kind"?, "latency_s"?}`. Other
    fields are ignored, empty lines too. Scores that overshoot 0..1 by up to 0.05, as some text metrics
    do, are pulled back into it.

    Args:
        path: A `.jsonl` file, or a gzip one ending in `.gz`.

    Raises:
        ConfigurationError: If the file cannot be read, or a line is not such an object; the message names
            file, line and field, and never holds prompt text.

    Example:
        >>> rows = read_replay("replay/routerarena.jsonl.gz")  # doctest: +SKIP
        >>> rows[0].outcomes["gemini-2.0-flash-001"].score  # doctest: +SKIP
        0.0
    """
    path = Path(path)
    rows: list[ReplayRow] = []
    line_number = 0  # of the line being read
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            for line in lines:
                line_number += 1
                if line.strip():
                    rows.append(_row(json.loads(line)))
    except _LineError as error:
        raise ConfigurationError(f"{path}, line {line_number}: {error}") from None
    except (ValueError, RecursionError):  # its own message may quote the line
        raise ConfigurationError(f"{path}, line {line_number}: not a line of JSON in UTF-8") from None
    except FileNotFoundError:
        raise ConfigurationError(f"There is no file {str(path)!r}.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigurationError(f"{path} cannot be read after line {line_number}: {error}") from error
    return tuple(rows)


def fit_prices(rows: Iterable[ReplayRow]) -> dict[str, tuple[float, float] | None]:
    """Return the prices that the known costs imply, in USD per (input, output) token.

    Non-negative least squares of cost on both token counts, each row weighted by 1 / cost so that long
    answers do not decide alone. Prices are only as good as the costs: a model whose bill includes hidden
    reasoning, or whose prompts are all of one length, gets prices that reproduce its costs rather than
    its price list.

    Args:
        rows: From `read_replay`.

    Returns:
        For each model, in order of appearance, its prices; None where no row has both tokens and cost.

    Example:
        >>> outcomes = {"m": ReplayOutcome(score=1, input_tokens=100, output_tokens=10, cost_usd=1e-4)}
        >>> fit_prices([ReplayRow(id="1", dataset="d", domain="", prompt="", outcomes=outcomes)])
        {'m': (1e-06, 0.0)}
    """
    billed: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for row in rows:
        for model, outcome in row.outcomes.items():
            bill = billed[model]
            if outcome.input_tokens is None or outcome.output_tokens is None or not outcome.cost_usd:
                continue
            bill.append((outcome.input_tokens, outcome.output_tokens, outcome.cost_usd))
    return {model: _prices(bill) if bill else None for model, bill in billed.items()}


def _prices(bill: list[tuple[int, int, float]]) -> tuple[float, float]:
    """Solve for two non-negative prices: the best of both free, only the first, only the second."""
    import numpy as np

    table = np.asarray(bill, dtype=float)
    tokens = table[:, :2] / table[:, 2:]
    target = np.ones(len(table))
    free, _, rank, _ = np.linalg.lstsq(tokens, target, rcond=None)
    if rank == 2 and (free >= 0).all():
        return float(free[0]), float(free[1])
    best, least_error = (0.0, 0.0), math.inf
    for column in (0, 1):
        square = float(tokens[:, column] @ tokens[:, column])
        price = float(tokens[:, column] @ target) / square if square else 0.0
        error = float(((tokens[:, column] * price - target) ** 2).sum())
        if error < least_error:
            best, least_error = ((price, 0.0), (0.0, price))[column], error
    return best


class _LineError(ValueError):
    """A line holds JSON, but not a row."""


def _row(given: Any) -> ReplayRow:
    if not isinstance(given, dict):
        raise _LineError("expected a JSON object")
    outcomes = given.get("outcomes")
    if not isinstance(outcomes, dict):
        raise _LineError("'outcomes' must map model names to outcomes")
    return ReplayRow(
        id=_text(given, "id"),
        dataset=_optional_text(given, "dataset") or "",
        domain=_optional_text(given, "domain") or "",
        prompt=_text(given, "prompt"),
        outcomes={model: _outcome(model, value) for model, value in outcomes.items()},
    )


def _outcome(model: str, given: Any) -> ReplayOutcome:
    if not isinstance(given, dict):
        raise _LineError(f"outcome of {model!r}: expected a JSON object")
    try:
        score = _optional_number(given, "score")
        if score is None or not -_SCORE_TOLERANCE <= score <= 1 + _SCORE_TOLERANCE:
            raise _LineError(f"'score' is {score!r}, expected a number from 0 to 1")
        cost_usd = _optional_number(given, "cost")
        if cost_usd is not None and cost_usd < 0:
            raise _LineError(f"'cost' is {cost_usd!r}, expected US dollars, 0 or more")
        input_tokens, output_tokens = _optional_number(given, "in"), _optional_number(given, "out")
        return ReplayOutcome(
            score=min(max(score, 0.0), 1.0),
            response=_optional_text(given, "response"),
            input_tokens=None if input_tokens is None else round(input_tokens),
            output_tokens=None if output_tokens is None else round(output_tokens),
            cost_usd=cost_usd,
            cost_kind=_optional_text(given, "cost_kind"),
            latency_s=_optional_number(given, "latency_s"),
        )
    except _LineError as error:
        raise _LineError(f"outcome of {model!r}: {error}") from None


def _text(given: Mapping[str, Any], name: str) -> str:
    text = _optional_text(given, name)
    if text is None:
        raise _LineError(f"{name!r} is missing")
    return text


def _optional_text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise _LineError(f"{name!r} is not a string")
    return value


def _optional_number(given: Mapping[str, Any], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _LineError(f"{name!r} is not a finite number")
    return float(value)
