"""Recording feedback: what it may be given about, and many pieces at once."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langchain_core.messages import AIMessage, BaseMessage

from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.records import Outcome
from langchain_router.wording import kind_of

if TYPE_CHECKING:
    from langchain_router.outcomes.store import OutcomeStore

_LONGEST_ID: Final = 200
_INSTEAD: Final = "Give the answer itself, its decision id, or the id of a run that it came from."
_IDS: Final = ("decision_id", "run_id", "message_id", "id")
_FIELDS: Final = ("score", "key", "source", "weight", "comment")
_AT_ONCE: Final = 500
_TOLD: Final = 100


def decision_id_of(given: Any) -> str:
    """Return the id by which a store finds the decision: a decision's, a message's or a run's.

    Args:
        given: An answer of the router (a message, a chunk, or a structured answer with its `"raw"` message),
            a `RoutingDecision` or an `Outcome`, the id of a decision or of a message, or a run id. Of an
            agent's state the last answer counts.

    Raises:
        ConfigurationError: It is none of these, or a message that no router has answered with.

    Example:
        >>> decision_id_of(AIMessage("Hi", response_metadata={"router": {"decision_id": "0197"}}))
        '0197'
        >>> decision_id_of(UUID(int=7))
        '00000000-0000-0000-0000-000000000007'
    """
    if isinstance(given, UUID):
        return str(given)
    if isinstance(given, str):
        return _text_id(given)
    if isinstance(given, RoutingDecision):
        return given.id
    if isinstance(given, Outcome):
        return given.decision_id
    if isinstance(given, BaseMessage):
        return _id_of_message(given)
    if isinstance(given, Mapping):
        return _id_of_mapping(given)
    raise ConfigurationError(f"Feedback is about an answer, got {kind_of(given)}. {_INSTEAD}")


def _id_of_mapping(given: Mapping[str, Any]) -> str:
    if isinstance(given.get("raw"), BaseMessage):
        return _id_of_message(given["raw"])
    if isinstance(given.get("messages"), (list, tuple)):
        answers = [one for one in given["messages"] if isinstance(one, AIMessage)]
        if answers:
            return _id_of_message(answers[-1])
    raise ConfigurationError(
        "No decision is known for this answer: it is a mapping without the model's message. "
        "Ask with with_structured_output(..., include_raw=True) and give what comes back."
    )


def _text_id(given: str) -> str:
    found = given.strip()
    if not 0 < len(found) <= _LONGEST_ID or any(character.isspace() for character in found):
        raise ConfigurationError(
            f"A text of {len(given)} characters is no id of a decision, message or run. {_INSTEAD}"
        )
    return found


def _id_of_message(message: BaseMessage) -> str:
    if not isinstance(message, AIMessage):
        raise ConfigurationError(
            f"Feedback is about an answer, got {kind_of(message)}. "
            "Give the AIMessage that the router returned."
        )
    stamped = message.response_metadata.get("router")
    decision_id = stamped.get("decision_id") if isinstance(stamped, Mapping) else None
    if isinstance(decision_id, str) and decision_id:
        return decision_id
    if message.id:  # held by a tracer or a cache, perhaps, which got it before the router had marked it
        return message.id
    raise ConfigurationError(
        'This message bears no decision: response_metadata["router"] is missing, so that no router has '
        "returned it, or a chunk of a stream after the first. Join the chunks of a stream, or give a run id."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of an import.

    Attributes:
        rows: How many rows there were; the sum of `statuses` and `refused`.
        statuses: How many became what, by the receipt's status: `"new"`, `"same"`, `"unknown_decision"`, ...
        refused: How many could not be read.
        errors: Number of the row, from 1, and what is wrong with it, for the first hundred refused.
    """

    rows: int
    statuses: Mapping[str, int]
    refused: int
    errors: tuple[tuple[int, str], ...]


def import_feedback(store: OutcomeStore, given: str | Path | Iterable[Mapping[str, Any]]) -> Imported:
    """Store many pieces of feedback. What cannot be read is counted and told; all the rest is stored.

    To run it again is safe: what is stored already stays as it is.

    Args:
        store: An `OutcomeStore`.
        given: A file (`.jsonl`, or `.csv` with a header), or rows. A row holds `decision_id`, `run_id`,
            `message_id` or `id`, a `score`, and what else `Feedback` takes: `key`, `source`, `weight`,
            `comment`.

    Raises:
        ConfigurationError: It is neither such a file nor rows.
    """
    statuses: Counter[str] = Counter()
    errors: list[tuple[int, str]] = []
    batch: list[Feedback] = []
    rows = refused = 0
    for number, row in enumerate(_rows(given), start=1):
        rows = number
        try:
            batch.append(_feedback(row))
        except ConfigurationError as error:
            refused += 1
            if len(errors) < _TOLD:
                errors.append((number, str(error)))
        if len(batch) >= _AT_ONCE:
            statuses.update(receipt.status for receipt in store.add_feedback(*batch))
            batch = []
    if batch:
        statuses.update(receipt.status for receipt in store.add_feedback(*batch))
    return Imported(rows=rows, statuses=dict(statuses), refused=refused, errors=tuple(errors))


def _rows(given: Any) -> Iterator[Any]:
    if not isinstance(given, (str, Path)):
        if not isinstance(given, Iterable) or isinstance(given, Mapping):
            raise ConfigurationError(f"Give a path or rows to import, got {type(given).__name__}.")
        yield from given
        return
    path = Path(given)
    if path.suffix not in (".jsonl", ".csv"):
        raise ConfigurationError(f"{path.name} is neither .jsonl nor .csv.")
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            if path.suffix == ".csv":
                yield from _csv_rows(file)
                return
            for line in file:
                if line.strip():
                    yield _read(line)
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read ({error.strerror}).") from error


def _csv_rows(file: Any) -> Iterator[Any]:
    rows = csv.DictReader(file)
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield None  # counted as refused; the reader goes on with the next line


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _feedback(row: Any) -> Feedback:
    if not isinstance(row, Mapping):
        raise ConfigurationError("not a JSON object")
    given = next((row[name] for name in _IDS if row.get(name) not in (None, "")), None)
    if given is None:
        raise ConfigurationError(f"no id; name it {', '.join(_IDS[:-1])} or {_IDS[-1]}")
    fields = {name: row[name] for name in _FIELDS if row.get(name) not in (None, "")}
    if "score" not in fields:
        raise ConfigurationError("no score")
    for name in ("score", "weight"):
        if isinstance(fields.get(name), str):  # of a CSV file
            fields[name] = _number(name, fields[name])
    return Feedback(decision_id=decision_id_of(given), **fields)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{name} must be a number, got {text!r:.40}") from None
