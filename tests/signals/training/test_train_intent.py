"""Training: repeatable, and the shipped weights are those of the prompts in the tree."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from langchain_router.exceptions import ConfigurationError
from langchain_router.signals import INTENTS
from langchain_router.signals.linear_intent import KIND, SHIPPED
from langchain_router.signals.linear_weights import shipped_weights
from langchain_router.signals.training.prompt_files import fingerprint_of, read_prompts
from langchain_router.signals.training.train_intent import main, train
from langchain_router.signals.training.validation import folds_of, importance_of

WEIGHTS = resources.files("langchain_router.signals") / "weights"


def write(folder: Path, name: str, text: str) -> None:
    (folder / "en").mkdir(exist_ok=True)
    (folder / "en" / name).write_text(text, encoding="utf-8")


def small(folder: Path) -> None:
    """Write four prompts for each intent."""
    for intent in INTENTS:
        word = intent.replace("_", " ")
        write(
            folder, f"{intent}.txt", "".join(f"--- {n}\nPlease do {word} number {n}\n" for n in (1, 2, 3, 4))
        )


def test_the_shipped_weights_were_trained_on_the_prompts_in_the_tree() -> None:
    weights = shipped_weights(SHIPPED, kind=KIND, classes=len(INTENTS))
    told = json.loads((WEIGHTS / "intent.json").read_text(encoding="utf-8"))
    now = fingerprint_of(read_prompts())
    assert weights.about["inputs"] == told["inputs_sha256"] == now, "prompts changed: run train_intent"
    assert told["weights_fingerprint"] == weights.fingerprint
    assert all(source["licence"] for source in told["sources"])


def test_the_shipped_file_is_smaller_than_a_megabyte() -> None:
    with resources.as_file(WEIGHTS / SHIPPED) as path:
        assert path.stat().st_size < 1_000_000


def test_training_twice_gives_the_same_weights_and_says_what_it_tried(tmp_path: Path) -> None:
    small(tmp_path)
    for out in ("a", "b"):
        (tmp_path / out).mkdir()
        main(["--prompts", str(tmp_path), "--out", str(tmp_path / out), "--quick"])
    told = [json.loads((tmp_path / out / "intent.json").read_text()) for out in ("a", "b")]
    assert told[0] == told[1]
    assert (tmp_path / "a" / SHIPPED).read_bytes() == (tmp_path / "b" / SHIPPED).read_bytes()
    assert told[0]["cross_validation"][0]["log_loss"] > 0
    assert told[0]["sources"][0]["by_intent"] == dict.fromkeys(sorted(INTENTS), 4)


def test_another_prompt_gives_other_weights(tmp_path: Path) -> None:
    small(tmp_path)
    before, _ = train(read_prompts(tmp_path), keywords=[0.5], l2=[1e-3])
    write(tmp_path, "translation-more.txt", "--- 2\nSay it in Dutch.\n")
    after, _ = train(read_prompts(tmp_path), keywords=[0.5], l2=[1e-3])
    assert before.fingerprint != after.fingerprint


def test_a_prompt_keeps_its_lines_and_one_that_comes_twice_is_read_once(tmp_path: Path) -> None:
    write(
        tmp_path, "extraction.txt", "--- 1\nfirst\n\n--- not a divider\nline\n--- 5\nsecond\n--- 2\nsecond\n"
    )
    found = read_prompts(tmp_path)
    assert [(one.prompt, one.difficulty) for one in found] == [
        ("first\n\n--- not a divider\nline", 1),
        ("second", 5),
    ]
    assert {one.intent for one in found} == {"extraction"}


def test_files_that_are_not_named_for_an_intent_and_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No prompts"):
        read_prompts(tmp_path)
    write(tmp_path, "poems.txt", "--- 1\nroses\n")
    with pytest.raises(ConfigurationError, match=r"en/poems\.txt is not named for an intent"):
        read_prompts(tmp_path)


def test_neighbours_in_a_file_are_held_out_together_and_small_files_count_relatively_more(
    tmp_path: Path,
) -> None:
    write(tmp_path, "extraction.txt", "".join(f"--- 1\nno. {n}\n" for n in range(10)))
    assert folds_of(read_prompts(tmp_path)).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    shares = importance_of(["a"] * 4 + ["b"])
    assert shares.sum() == pytest.approx(1)
    assert shares[:4].sum() / shares[4] == pytest.approx(2)
