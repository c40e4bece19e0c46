"""The demo: what a newcomer sees first."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from langchain_router.cli import main
from langchain_router.cli.demo.prompts import own_prompts
from langchain_router.signals import INTENTS
from langchain_router.testing import SimulatedModel, SimulatedProvider

SHARED = Path(__file__).parents[3] / "shared" / "data" / "replay"


def test_the_demo_explains_five_decisions_and_prints_what_was_saved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--limit", "30"]) == 0
    printed = capsys.readouterr().out
    assert "SIMULATED" in printed
    assert printed.count("Chose ") == 5
    assert "always gpt-4o" in printed
    assert re.search(r"[\d.]+% of the cost of always gpt-4o saved, quality [+-]", " ".join(printed.split()))


def test_the_demo_runs_with_the_threshold_policy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--limit", "12", "--policy", "threshold"]) == 0
    assert "requests of complexity" in " ".join(capsys.readouterr().out.split())


def test_recorded_answers_are_scored_and_billed_as_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {
            "id": f"r{i}",
            "dataset": "mine",
            "domain": "d",
            "prompt": f"What is {i} plus {i}?",
            "outcomes": {
                "cheap": {"score": 1.0, "response": str(2 * i), "in": 10, "out": 2, "cost": 0.001},
                "dear": {"score": 1.0, "response": str(2 * i), "in": 10, "out": 2, "cost": 0.01},
            },
        }
        for i in range(40)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert main(["demo", "--data", str(path)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "RECORDED" in printed
    assert "28 RECORDED prompts and answers" in printed
    assert "$0.0280" in printed


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared replay data is not beside this checkout")
@pytest.mark.parametrize("name", ["gb_svamp", "routerbench_mbpp", "alpacaeval"])
def test_the_demo_routes_recorded_public_prompts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--data", str(SHARED / f"{name}.jsonl.gz"), "--limit", "25"]) == 0
    assert "25 RECORDED prompts and answers" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--data", "x.jsonl", "--live"], "--live (LIVE=1) asks real providers: leave one out"),
        (["--limit", "0"], "limit must be 1 or more"),
        (["--policy", "cots"], "Did you mean 'cost'?"),
        (["--quality", "2"], "quality must be from 0 to 1"),
    ],
)
def test_wrong_arguments_say_what_to_do_and_exit_with_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_command_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"langchain-router \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_live_without_keys_says_which_variables_were_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from langchain_router.candidates.catalogue import catalogue

    for entry in catalogue().values():
        monkeypatch.delenv(entry.key_env, raising=False)
    assert main(["demo", "--live"]) == 2
    assert "OPENAI_API_KEY" in capsys.readouterr().err


def test_the_prompts_cover_the_nine_intents_and_are_distinct() -> None:
    prompts = own_prompts()
    assert {prompt.intent for prompt in prompts} == set(INTENTS)
    assert len({prompt.text for prompt in prompts}) == len(prompts) >= 200


def test_live_uses_the_providers_whose_keys_are_set_and_calls_its_saving_modelled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from langchain_router.candidates.catalogue import catalogue

    for entry in catalogue().values():
        monkeypatch.delenv(entry.key_env, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "key-in-a-test")
    names = [name.removeprefix("openai/") for name in catalogue() if name.startswith("openai/")]
    models = [SimulatedModel(name=name, input_usd_per_million=1, output_usd_per_million=2) for name in names]
    with SimulatedProvider(models) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_BASE", provider.base_url)
        assert main(["demo", "--live", "--limit", "3"]) == 0
        assert len(provider.requests) == 3
    printed = " ".join(capsys.readouterr().out.split())
    assert "REAL providers" in printed
    assert "not scored" in printed
    assert "modelled" in printed


def test_live_with_a_provider_that_refuses_says_so_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from langchain_router.candidates.catalogue import catalogue

    for entry in catalogue().values():
        monkeypatch.delenv(entry.key_env, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "key-in-a-test")
    with SimulatedProvider(
        [SimulatedModel(name="other", input_usd_per_million=1, output_usd_per_million=2)]
    ) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_BASE", provider.base_url)
        assert main(["demo", "--live", "--limit", "1"]) == 2
    assert "calls of the plan failed" in capsys.readouterr().err


def test_a_second_run_starts_from_what_the_first_learned_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    words = ["demo", "--limit", "20", "--store", str(tmp_path / "demo.db")]
    for more in ([], [], ["--fresh"]):
        assert main([*words, *more]) == 0
        told.append(" ".join(capsys.readouterr().out.split()))
    assert "Nothing learned yet" in told[0]
    assert "Remembered: 20 answers judged" in told[0]
    assert "Starts from what earlier runs learned: 20 judged answers" in told[1]
    assert "Nothing learned yet" in told[2]
    assert len(list(tmp_path.glob("demo.db*"))) > 1, "put aside, not deleted"
