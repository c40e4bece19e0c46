"""What `bench-signals` measures, and how it says it."""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from scipy.stats import spearmanr

from langchain_router.cli.signals import add_bench_signals, run_bench_signals
from langchain_router.evaluation.signals import measure_difficulty, measure_intent, spearman
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.signals import (
    INTENTS,
    ComplexityScore,
    Intent,
    IntentPrediction,
    KeywordIntentClassifier,
)


class Says:
    """Calls everything that holds a word by its intent, and the rest conversation."""

    def __init__(self, **words: Intent) -> None:
        self.words = words

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        text = str(request.messages[0].content)
        label: Intent = next((intent for word, intent in self.words.items() if word in text), "conversation")
        return IntentPrediction(
            label=label, probabilities={one: float(one == label) for one in INTENTS}, source="t"
        )


class Digits:
    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        return ComplexityScore(value=float(str(request.messages[0].content)[-1]) / 10)


def lines(path: Path, rows: Sequence[Mapping[str, object]]) -> str:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return str(path)


def test_macro_f1_is_the_mean_over_the_intents_of_the_file(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"prompt": "a red one", "intent": "translation"},
        {"prompt": "a red two", "intent": "extraction"},
        {"prompt": "blue", "intent": "extraction"},
        {"prompt": "well", "intent": "extraction"},
    ]
    found = measure_intent(lines(tmp_path / "i.jsonl", rows), Says(red="translation", blue="extraction"))
    assert found.per_intent == {"translation": pytest.approx(2 / 3), "extraction": pytest.approx(0.5)}
    assert found.macro_f1 == pytest.approx((2 / 3 + 0.5) / 2)
    assert found.as_json()["confusion"] == {
        "translation": {"translation": 1},
        "extraction": {"translation": 1, "extraction": 1, "conversation": 1},
    }
    keywords = measure_intent(str(tmp_path / "i.jsonl"), KeywordIntentClassifier())
    assert found.keywords_macro_f1 == keywords.macro_f1 == keywords.keywords_macro_f1


def test_ranks_are_compared_within_each_source_over_all_files(tmp_path: Path) -> None:
    one = [{"prompt": f"{'x' * (9 - n)}{n}", "difficulty": n, "source": "up"} for n in range(5)]
    two = [{"prompt": f"abc{n}", "difficulty": -n, "source": "down"} for n in range(4)]
    more = [{"prompt": f"{'x' * (9 - n)}{n}", "difficulty": n, "source": "up"} for n in range(5, 7)]
    paths = [
        lines(tmp_path / "a.jsonl.gz", [*one, *two]),
        lines(tmp_path / "b.jsonl", more),
    ]
    up, down = measure_difficulty(paths, KeywordIntentClassifier(), Digits())
    assert (up.source, up.n) == ("up", 7)
    assert [up.spearman, up.spearman_length] == pytest.approx([1, -1])
    assert (down.source, down.n, down.spearman_length) == ("down", 4, None)
    assert down.spearman == pytest.approx(-1)


def test_rank_correlation_is_that_of_scipy_also_with_ties() -> None:
    left, right = [1, 2, 2, 3, 5, 5, 5, 0], [0.1, 0.4, 0.4, 0.2, 0.9, 0.9, 0.3, 0.0]
    assert spearman(left, right) == pytest.approx(float(spearmanr(left, right).statistic))
    assert spearman([1, 1], [1, 2]) is None


def test_the_command_prints_tables_and_writes_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    intent = lines(tmp_path / "i.jsonl", [{"prompt": "Translate it into Greek.", "intent": "translation"}])
    difficulty = lines(
        tmp_path / "d.jsonl",
        [{"prompt": "Why? " * n, "difficulty": n, "source": "whys"} for n in range(1, 41)],
    )
    commands = argparse.ArgumentParser().add_subparsers()
    add_bench_signals(commands)
    out = tmp_path / "out.json"
    words = ["--intent", intent, "--difficulty", difficulty, "--json", str(out)]
    run_bench_signals(commands.choices["bench-signals"].parse_args(words))
    written = json.loads(out.read_text())
    assert set(written) == {"intent", "difficulty"}
    assert set(written["intent"][0]) == {"file", "macro_f1", "per_intent", "confusion", "keywords_macro_f1"}
    assert written["intent"][0]["file"] == "i.jsonl"
    assert written["intent"][0]["macro_f1"] == 1.0
    assert set(written["difficulty"][0]) == {"source", "spearman", "spearman_length", "n"}
    assert written["difficulty"][0]["spearman_length"] == pytest.approx(1)
    printed = capsys.readouterr().out
    assert "macro-F1 1.000" in printed
    assert "whys" in printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ('{"prompt": "secret plan"}\n', "Line 1 .* is no JSON object with 'prompt' and 'intent'"),
        ('{"prompt": "secret plan", "intent": "poem"}\n', "none of the nine: 'poem'"),
        ("secret plan\n", "Line 1"),
    ],
)
def test_a_file_of_another_form_is_refused_without_showing_its_text(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "i.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message) as caught:
        measure_intent(str(path), KeywordIntentClassifier())
    assert "secret" not in str(caught.value)


def test_files_that_cannot_be_read_and_no_files_at_all_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl.gz").write_bytes(b"no gzip")
    for name in ("d.jsonl.gz", "missing.jsonl"):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            measure_difficulty([str(tmp_path / name)], KeywordIntentClassifier(), Digits())
    with pytest.raises(ConfigurationError, match="Name files"):
        run_bench_signals(argparse.Namespace(intent=[], difficulty=[], json_path=None))
