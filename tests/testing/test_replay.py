from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing import ReplayOutcome, ReplayRow, fit_prices, read_replay

SHARED_REPLAY = Path(__file__).parents[2].parent / "shared" / "data" / "replay"

ROW = {
    "id": "r1",
    "dataset": "sums",
    "domain": "math",
    "prompt": "the secret sum",
    "split": "dev",
    "outcomes": {
        "small": {
            "score": 0.5,
            "response": "four",
            "in": 10,
            "out": 2,
            "cost": 1.4e-5,
            "cost_kind": "recorded",
        },
        "large": {"score": 1},
    },
}


def written(path: Path, *lines: str | dict[str, Any]) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def priced(*bills: tuple[int | None, int | None, float | None], model: str = "m") -> list[ReplayRow]:
    return [
        ReplayRow(
            id=str(index),
            dataset="",
            domain="",
            prompt="",
            outcomes={
                model: ReplayOutcome(score=1, input_tokens=bill[0], output_tokens=bill[1], cost_usd=bill[2])
            },
        )
        for index, bill in enumerate(bills)
    ]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_plain_and_gzip_files_read_alike(tmp_path: Path, name: str) -> None:
    (row,) = read_replay(written(tmp_path / name, ROW, ""))
    assert (row.id, row.dataset, row.domain, row.prompt) == ("r1", "sums", "math", "the secret sum")
    assert row.outcomes["small"] == ReplayOutcome(
        score=0.5, response="four", input_tokens=10, output_tokens=2, cost_usd=1.4e-5, cost_kind="recorded"
    )
    assert row.outcomes["large"] == ReplayOutcome(score=1.0)


def test_rows_that_share_a_prompt_stay_apart(tmp_path: Path) -> None:
    rows = read_replay(written(tmp_path / "rows.jsonl", ROW, {**ROW, "id": "r2"}))
    assert [row.id for row in rows] == ["r1", "r2"]


def test_a_score_that_overshoots_a_little_is_pulled_back(tmp_path: Path) -> None:
    outcomes = {"low": {"score": -0.033}, "high": {"score": 1.0000001}}
    (row,) = read_replay(written(tmp_path / "rows.jsonl", {**ROW, "outcomes": outcomes}))
    assert [outcome.score for outcome in row.outcomes.values()] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"id": "the secret sum', "not a line of JSON"),
        ([1], "expected a JSON object"),
        ({**ROW, "id": 7}, "'id' is not a string"),
        ({key: value for key, value in ROW.items() if key != "prompt"}, "'prompt' is missing"),
        ({**ROW, "outcomes": None}, "'outcomes' must map model names"),
        ({**ROW, "outcomes": {"m": 1}}, "outcome of 'm': expected a JSON object"),
        ({**ROW, "outcomes": {"m": {}}}, "outcome of 'm': 'score' is None"),
        ({**ROW, "outcomes": {"m": {"score": 8}}}, "outcome of 'm': 'score' is 8"),
        ({**ROW, "outcomes": {"m": {"score": 1, "in": "many"}}}, "'in' is not a finite number"),
        ({**ROW, "outcomes": {"m": {"score": 1, "cost": float("nan")}}}, "'cost' is not a finite number"),
    ],
)
def test_a_faulty_line_is_named_with_what_is_wrong_and_without_its_prompt(
    tmp_path: Path, line: Any, fault: str
) -> None:
    path = written(tmp_path / "rows.jsonl", ROW, line if isinstance(line, str) else json.dumps(line))
    with pytest.raises(ConfigurationError) as raised:
        read_replay(path)
    assert f"{path}, line 2: " in str(raised.value)
    assert fault in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_absent_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no file '.*absent\.jsonl'"):
        read_replay(tmp_path / "absent.jsonl")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(json.dumps(ROW).encode())[:-9])
    with pytest.raises(ConfigurationError, match=r"cut\.jsonl\.gz cannot be read"):
        read_replay(tmp_path / "cut.jsonl.gz")


def test_fitted_prices_are_those_that_the_costs_were_made_with() -> None:
    rows = priced(
        *((tokens, out, tokens * 3e-6 + out * 15e-6) for tokens, out in ((100, 5), (20, 900), (7, 1)))
    )
    assert fit_prices(rows)["m"] == pytest.approx((3e-6, 15e-6))


def test_fitted_prices_are_never_negative() -> None:
    rows = priced((100, 10, 1e-4), (100, 20, 0.8e-4), (200, 90, 1e-4))
    prices = fit_prices(rows)["m"]
    assert prices is not None
    assert min(prices) >= 0


def test_prices_are_none_without_tokens_or_costs() -> None:
    assert fit_prices(priced((None, 5, 1e-4), (10, 5, None))) == {"m": None}


@pytest.mark.skipif(not SHARED_REPLAY.is_dir(), reason="the shared replay files are not beside the checkout")
def test_every_shared_file_reads_and_estimated_costs_give_back_their_price_list() -> None:
    listed = json.loads((SHARED_REPLAY / "prices.json").read_text())
    compared = 0
    for path in sorted(SHARED_REPLAY.glob("*.jsonl.gz")):
        rows = read_replay(path)
        estimated = any(outcome.cost_kind == "estimated" for row in rows for outcome in row.outcomes.values())
        for model, prices in fit_prices(rows).items():
            if estimated and prices is not None:
                assert prices[0] * 1e6 == pytest.approx(listed[model]["in"], rel=0.01)
                assert prices[1] * 1e6 == pytest.approx(listed[model]["out"], rel=0.01)
                compared += 1
    assert compared > 0
