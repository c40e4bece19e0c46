"""A scorer at work and in a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import Candidate, CascadePolicy, ChatRouter, ConfigurationError, RoutingRequest
from langchain_router.checks import AnswerScorer, LearnedCheck
from langchain_router.checks.scoring import Answered, FittedScorer, fit_scorer
from langchain_router.testing import FaultyChatModel

WORD = "xylophone"


def answers(draft: str | None = None, *, turned: bool = False) -> list[Answered]:
    made = []
    for n in range(120):
        right = n % 3 != 0
        said = f"{n} + 2 = {n + 2 if right else n + 5}"
        made.append(
            Answered(prompt=f"{WORD} {n} + 2?", answer=said, score=float(right != turned), draft=draft)
        )
    return made


SCORER = fit_scorer(answers())
TWO_DRAFTS = fit_scorer(answers("vendor/honest") + answers("odd", turned=True))
REQUEST = RoutingRequest(messages=(HumanMessage("40 + 2?"),))


def test_it_is_a_scorer_for_a_learned_check_in_a_cascade() -> None:
    assert isinstance(SCORER, AnswerScorer)
    small = Candidate(model=FaultyChatModel(answers=["40 + 2 = 45"]), name="small")
    large = Candidate(model=FaultyChatModel(answers=["40 + 2 = 42"]), name="large")
    router = ChatRouter.from_models(
        small,
        large,
        policy=CascadePolicy([("small", LearnedCheck(SCORER, threshold=0.5)), ("large", None)]),
        store=None,
    )
    assert router.invoke("40 + 2?").text == "40 + 2 = 42"


def test_one_live_answer_is_judged_as_many_recorded_ones_are() -> None:
    recorded = [Answered(prompt="40 + 2?", answer=f"40 + 2 = {told}") for told in (42, 45)]
    live = [SCORER.probability(REQUEST, AIMessage(str(one.answer)), {}) for one in recorded]
    assert live == SCORER.probabilities(recorded).tolist()
    assert live[0] > 0.6 > live[1]


def test_who_drafted_is_told_by_the_tier_or_by_the_providers_name_or_left_open() -> None:
    text = "40 + 2 = 42"
    honest = TWO_DRAFTS.for_draft("vendor/honest").probability(REQUEST, AIMessage(text), {})
    odd = TWO_DRAFTS.for_draft("odd").probability(REQUEST, AIMessage(text), {})
    assert honest > odd
    named = AIMessage(text, response_metadata={"model_name": "honest"})
    assert TWO_DRAFTS.probability(REQUEST, named, {}) == honest
    unknown = AIMessage(text, response_metadata={"model_name": "somebody"})
    assert TWO_DRAFTS.probability(REQUEST, unknown, {}) not in (honest, odd)
    with pytest.raises(ConfigurationError, match="knows no draft 'nobody', only 'odd', 'vendor/honest'"):
        TWO_DRAFTS.for_draft("nobody")
    assert SCORER.for_draft("anybody").probability(REQUEST, AIMessage(text), {}) > 0.5


def test_it_comes_back_from_a_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "scorer.npz"
    TWO_DRAFTS.save(path)
    loaded = FittedScorer.load(path)
    assert loaded.fingerprint == TWO_DRAFTS.fingerprint
    assert loaded.columns == TWO_DRAFTS.columns
    assert loaded.examples == 240
    assert loaded.probabilities(answers("odd")).tolist() == TWO_DRAFTS.probabilities(answers("odd")).tolist()
    TWO_DRAFTS.save(tmp_path / "again.npz")
    assert path.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_a_file_holds_no_text_and_no_pickle(tmp_path: Path) -> None:
    path = tmp_path / "scorer.npz"
    SCORER.save(path)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    assert all(array.dtype.kind in "uif" for array in arrays.values())
    assert WORD.encode() not in b"".join(array.tobytes() for array in arrays.values())
    assert WORD not in repr(SCORER)


def damaged(path: Path, **changes: object) -> None:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays["about"].tobytes()) | changes.pop("about", {})
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(path, **(arrays | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"about": {"version": 99}}, "features of version 99"),
        ({"about": {"fingerprint": "0"}}, "damaged"),
        ({"weights": np.ones(3)}, "holds no scorer"),
        ({"columns": np.array([10**6])}, "holds no scorer"),
        ({"weights": np.array([{}], dtype=object)}, "holds no scorer"),
        ({"about": {"drafts": 7}}, "holds no scorer"),
    ],
)
def test_what_is_no_scorer_of_this_version_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = tmp_path / "scorer.npz"
    SCORER.save(path)
    damaged(path, **changes)
    with pytest.raises(ConfigurationError, match=message):
        FittedScorer.load(path)


def test_files_that_are_missing_cut_or_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file"):
        FittedScorer.load(tmp_path / "nowhere.npz")
    path = tmp_path / "scorer.npz"
    SCORER.save(path)
    whole = path.read_bytes()
    for content in (b"", b"not a scorer", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match="holds no scorer"):
            FittedScorer.load(path)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    broken = FittedScorer(
        columns=SCORER.columns, weights=np.full(SCORER.columns.width, np.nan), intercept=0.0, examples=1
    )
    broken.save(tmp_path / "broken.npz")
    with pytest.raises(ConfigurationError, match="holds no scorer"):
        FittedScorer.load(tmp_path / "broken.npz")
