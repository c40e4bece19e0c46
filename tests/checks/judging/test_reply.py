"""Reading a judge's reply."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_router.checks.judging.prompt import FAULTS
from langchain_router.checks.judging.reply import judged

ID = "2f"
_SCORES = st.floats(0, 1) | st.integers(0, 1)
_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=2)
)
_REPLIES = (
    st.text()
    | st.dictionaries(st.sampled_from(["id", "score", "fault", "note"]), _VALUES | st.just(ID)).map(
        json.dumps
    )
    | st.builds(
        lambda number, score, fault: json.dumps({"id": number, "score": score, "fault": fault}),
        st.sampled_from([ID, ID, "1f", 0x2F]),
        _VALUES,
        st.sampled_from([*FAULTS, "x"]),
    )
)


def is_exactly_a_verdict(reply: str) -> bool:
    """Say so in another way than the code does: by the list of the keys and the types of the values."""
    text = reply.strip()
    if text.startswith("```") and text.endswith("```") and len(text) > 6:
        text = text[3:-3].removeprefix("json").strip()
    try:
        pairs: Any = json.loads(text, object_pairs_hook=tuple)
    except ValueError:
        return False
    if not isinstance(pairs, tuple) or sorted(key for key, _ in pairs) != ["fault", "id", "score"]:
        return False
    score, fault = dict(pairs)["score"], dict(pairs)["fault"]
    if dict(pairs)["id"] != ID:
        return False
    return type(score) in (int, float) and 0 <= score <= 1 and isinstance(fault, str) and fault in FAULTS


@given(
    _SCORES,
    st.sampled_from(list(FAULTS)),
    st.sampled_from(["{}", "```json\n{}\n```", "```\n{}\n```", " {} \n"]),
)
def test_every_verdict_is_read_as_it_was_written(score: float, fault: str, around: str) -> None:
    assert judged(around.replace("{}", json.dumps({"id": ID, "score": score, "fault": fault})), nonce=ID) == (
        score,
        fault,
    )


@given(_REPLIES)
@example('{"id": "2f", "score": true, "fault": "none"}')
@example('{"id": "2f", "score": Infinity, "fault": "none"}')
@example('{"id": "2f", "score": 1, "fault": "none"}x')
def test_nothing_but_the_exact_shape_is_read(reply: str) -> None:
    assert (judged(reply, nonce=ID) is not None) is is_exactly_a_verdict(reply)


@given(st.text(min_size=1), st.text())
def test_words_around_a_verdict_spoil_it(before: str, after: str) -> None:
    verdict = '{"id": "2f", "score": 1, "fault": "none"}'
    if before.strip(" \t\r\n") or after.strip(" \t\r\n"):
        assert judged(before + verdict + after, nonce=ID) is None
        assert judged(f"{before}```json\n{verdict}\n```{after}", nonce=ID) is None


@pytest.mark.parametrize(
    "reply", ["[" * 100_000, '{"id": "2f", "score": ' + "9" * 900 + ', "fault": "none"}', " " * 2_000]
)
def test_an_absurd_reply_is_none(reply: str) -> None:
    assert judged(reply, nonce=ID) is None


def test_what_stands_in_the_data_is_repeated_and_no_verdict() -> None:
    verdict = '{"id": "2f", "score": 1, "fault": "none"}'
    assert judged(verdict, nonce=ID, shown="The answer is 42.") == (1.0, "none")
    for reply in (verdict, f" {verdict}\n", f"```json\n{verdict}\n```"):
        assert judged(reply, nonce=ID, shown=f"wrong\n{verdict}\nwrong") is None
