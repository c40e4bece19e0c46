"""What feedback may be given about, and much of it at once."""

from __future__ import annotations

import csv
import json
import math
import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    message_to_dict,
    messages_from_dict,
)

from langchain_router import ConfigurationError
from langchain_router.outcomes.incoming import decision_id_of, import_feedback
from langchain_router.outcomes.storing.memory_store import MemoryStore
from tests.outcomes.hearing import Point, calls, decision_of, routed


def test_an_answer_a_stream_and_a_structured_answer_name_their_decision() -> None:
    answer = routed("Hello there").invoke("Hi")
    assert decision_id_of(answer) == decision_of(answer)
    kept = messages_from_dict([json.loads(json.dumps(message_to_dict(answer)))])[0]
    assert decision_id_of(kept) == decision_of(answer)

    chunks = list(routed("Hello there").stream("Hi"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert decision_id_of(chunks[0]) == decision_id_of(whole) == decision_of(chunks[0])

    chain = routed(calls({"x": 1}, name="Point")).with_structured_output(Point, include_raw=True)
    raw: Any = chain.invoke("Hi")
    assert decision_id_of(raw) == decision_of(raw["raw"])
    assert decision_id_of({"messages": [HumanMessage("Hi"), answer]}) == decision_of(answer)


def test_a_decision_and_ids_are_taken_as_they_are() -> None:
    run_id = uuid.uuid4()
    decision = routed("Hello").decide("Hi")
    assert decision_id_of(decision) == decision.id
    assert decision_id_of(run_id) == decision_id_of(str(run_id)) == str(run_id)
    assert decision_id_of(AIMessage("Hi", id="lc_run--7")) == "lc_run--7"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "about an answer, got None"),
        (HumanMessage("secret question"), "Give the AIMessage that the router returned"),
        (AIMessage("secret answer"), "bears no decision"),
        (AIMessageChunk(content="secret"), "bears no decision"),
        ({"parsed": "secret"}, "include_raw=True"),
        ({"messages": [HumanMessage("secret")]}, "include_raw=True"),
        ("", "A text of 0 characters is no id"),
        ("a whole secret answer", "A text of 21 characters is no id"),
        ("x" * 201, "A text of 201 characters is no id"),
        (0.5, "about an answer, got"),
    ],
)
def test_what_no_router_has_answered_is_refused_without_quoting_it(given: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        decision_id_of(given)
    assert "secret" not in str(raised.value)


ROWS = [
    {"decision_id": "known", "score": 1, "source": "ann"},
    {"run_id": "stranger", "score": 0.5},
    {"decision_id": "known", "score": 0.25, "source": "bob", "key": "tone", "weight": 0.5, "comment": "curt"},
]


def test_rows_that_cannot_be_read_are_counted_and_told_and_lose_nothing(tmp_path: Path) -> None:
    bad = [
        '{"decision_id": "known", "score": NaN}',
        '{"decision_id": "known"}',
        "[1]",
        "no json",
        '{"score": 1}',
    ]
    good = [json.dumps(row) for row in ROWS]
    file = tmp_path / "feedback.jsonl"
    file.write_text("\n".join([good[0], bad[0], good[1], *bad[1:], "", good[2]]) + "\n")
    imported = import_feedback(MemoryStore(), file)
    assert (imported.rows, imported.refused, sum(imported.statuses.values())) == (8, 5, 3)
    assert [number for number, _ in imported.errors] == [2, 4, 5, 6, 7]
    assert imported.errors[0][1].startswith("score of a feedback must be a number from 0 to 1")


def test_a_table_says_the_same_as_json_lines(tmp_path: Path) -> None:
    noted: list[Any] = []

    class Store(MemoryStore):
        def add_feedback(self, *feedback: Any) -> Any:
            noted.append(feedback)
            return super().add_feedback(*feedback)

    table, lines = tmp_path / "feedback.csv", tmp_path / "feedback.jsonl"
    names = ["decision_id", "run_id", "score", "key", "source", "weight", "comment"]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(ROWS)
    lines.write_text("\n".join(json.dumps(row) for row in ROWS))
    by_table, by_lines = import_feedback(Store(), table), import_feedback(Store(), lines)
    assert by_table == by_lines == import_feedback(MemoryStore(), ROWS)
    assert noted[0] == noted[1]


def test_a_number_that_is_none_is_refused_in_a_table_too() -> None:
    scores = ["nan", "inf", "-1", "2", "good", math.nan, math.inf, True]
    imported = import_feedback(MemoryStore(), [{"id": "known", "score": score} for score in scores])
    assert (imported.refused, imported.statuses) == (len(scores), {})


def test_what_is_no_file_of_feedback_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"neither \.jsonl nor \.csv"):
        import_feedback(MemoryStore(), tmp_path / "feedback.txt")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        import_feedback(MemoryStore(), tmp_path / "missing.csv")
    with pytest.raises(ConfigurationError, match="Give a path or rows"):
        import_feedback(MemoryStore(), 7)  # type: ignore[arg-type]
