"""Examples from a store's feedback and the texts that an application kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from langchain_router import Candidate, ChatRouter
from langchain_router.checks.scoring import examples_from_store
from langchain_router.testing import FaultyChatModel


@pytest.mark.parametrize("where", [None, "sqlite"])
def test_the_last_word_on_every_answer_that_was_kept(where: str | None, tmp_path: Path) -> None:
    store = None if where is None else f"sqlite:///{tmp_path / 'log.db'}"
    only = Candidate(model=FaultyChatModel(answers=["42"]), name="only")
    router = ChatRouter.from_models(only, store=store)
    texts = {}
    answers = []
    for number in range(4):
        answer = router.invoke(f"question {number}")
        answers.append(answer)
        texts[answer.response_metadata["router"]["decision_id"]] = (f"question {number}", answer)
    router.record_feedback(answers[0], score=1.0, source="ann")
    router.record_feedback(answers[1], score=1.0, source="ann")
    router.record_feedback(answers[1], score=0.25, source="ann")
    router.record_feedback(answers[2], score=0.0, source="ann")
    del texts[answers[2].response_metadata["router"]["decision_id"]]
    found = {one.prompt: one for one in examples_from_store(router.store, texts)}
    assert {prompt: one.score for prompt, one in found.items()} == {"question 0": 1.0, "question 1": 0.25}
    assert {one.draft for one in found.values()} == {"only"}
    assert all(0 < one.weight <= 1 for one in found.values())
