"""Training of the complexity scorer: repeatable, and of the prompts in the tree."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from pathlib import Path

from langchain_core.messages import HumanMessage

from langchain_router.request import RoutingRequest
from langchain_router.signals import INTENTS, KeywordIntentClassifier
from langchain_router.signals.learned_complexity import KIND, SHIPPED, LearnedComplexityScorer
from langchain_router.signals.linear_weights import shipped_weights
from langchain_router.signals.training.graded import EACH, SIZES, graded
from langchain_router.signals.training.prompt_files import fingerprint_of, read_prompts
from langchain_router.signals.training.train_complexity import main

WEIGHTS = resources.files("langchain_router.signals") / "weights"


def small(folder: Path) -> None:
    """Write prompts whose difficulty is told by a word."""
    (folder / "en").mkdir()
    for intent in INTENTS:
        lines = "".join(
            f"--- {level}\n{'quickly' if level < 3 else 'rigorously'} do {intent} no. {n}\n"
            for n in range(3)
            for level in (1, 2, 4, 5)
        )
        (folder / "en" / f"{intent}.txt").write_text(lines, encoding="utf-8")


def test_the_shipped_weights_were_trained_on_the_prompts_in_the_tree() -> None:
    weights = shipped_weights(SHIPPED, kind=KIND, classes=1)
    told = json.loads((WEIGHTS / "complexity.json").read_text(encoding="utf-8"))
    assert weights.about["inputs"] == told["inputs_sha256"] == fingerprint_of(read_prompts()), (
        "run train_complexity"
    )
    assert told["weights_fingerprint"] == weights.fingerprint


def test_training_twice_gives_the_same_weights_which_know_what_was_taught(tmp_path: Path) -> None:
    small(tmp_path)
    for out in ("a", "b"):
        (tmp_path / out).mkdir()
        main(["--prompts", str(tmp_path), "--out", str(tmp_path / out), "--quick"])
    assert (tmp_path / "a" / SHIPPED).read_bytes() == (tmp_path / "b" / SHIPPED).read_bytes()
    scorer = LearnedComplexityScorer(tmp_path / "a" / SHIPPED)
    words = []
    for text in ("quickly do it now", "rigorously do it now"):
        request = RoutingRequest(messages=(HumanMessage(text),))
        words.append(
            scorer.score(request, KeywordIntentClassifier().classify(request)).contributions["words"]
        )
    assert words[0] < words[1]


def test_graded_tasks_are_the_same_every_time_and_grow_with_their_size() -> None:
    tasks = list(graded())
    assert tasks == list(graded())
    assert tasks != list(graded(seed=1))
    counts = Counter((task.kind, task.size) for task in tasks)
    assert set(counts.values()) == {EACH}
    for kind in {task.kind for task in tasks}:
        lengths = [
            sum(len(task.prompt) for task in tasks if (task.kind, task.size) == (kind, size))
            for size in SIZES
        ]
        assert lengths == sorted(lengths), kind
