"""Certificates are cited, stored and read back whole, and nothing else passes for one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_router import Candidate, ChatRouter, RoutingDecision
from langchain_router.evaluation.calibration.calibration import Calibration, Refusal
from langchain_router.evaluation.calibration.certificate import Certificate
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies import Context

CERTIFICATE = Certificate(
    intent="reasoning",
    threshold=0.1,
    n=2400,
    risk_bound=0.02,
    confidence=0.95,
    method="betting",
    observed_loss=0.006,
    band=(0.7, 0.8),
    reference="the best predicted",
    policy="adaptive",
    date="2026-11-25T12:00:00+00:00",
    data_fingerprint="3f2a9c0d11e4b7a6",
)
REFUSAL = Refusal(intent="translation", n=12, still_needed=900, observed_loss=0.01, reason="too few")
CALIBRATION = Calibration(certificates={"reasoning": CERTIFICATE}, refusals={"translation": REFUSAL})


class Certified:
    """A policy that goes by a certificate."""

    def __init__(self, given: object) -> None:
        self.given = given

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        return context.decision(
            candidates, reason="the cheapest", policy="certified", policy_params={"certificate": self.given}
        )


def decided(given: object) -> RoutingDecision:
    router = ChatRouter.from_models("openai/gpt-4o-mini", policy=Certified(given), store=None)
    return router.decide([HumanMessage("Hello")])


def test_a_decision_cites_the_certificate_that_its_policy_went_by() -> None:
    decision = decided(CERTIFICATE.to_dict())
    assert f"  Certified: {CERTIFICATE.sentence()}." in decision.explain().splitlines()
    carried = json.loads(json.dumps(decision.to_dict()))["policy_params"]["certificate"]
    assert Certificate.from_dict(carried) == CERTIFICATE


@pytest.mark.parametrize("given", [None, "yes", {}, {**CERTIFICATE.to_dict(), "confidence": 2}])
def test_what_is_no_certificate_is_not_cited(given: object) -> None:
    assert "Certified" not in decided(given).explain()


def test_a_sentence_holds_what_makes_the_certificate_true() -> None:
    said = CERTIFICATE.sentence()
    for part in ("reasoning", "slack 0.1", "at most 0.02", "on average", "95 %", "n = 2400", "betting"):
        assert part in said
    assert "for all 9 intents at once" in replace(CERTIFICATE, together=9).sentence()
    assert "log" in replace(CERTIFICATE, basis="logged").sentence()


def test_a_calibration_is_read_back_as_it_was_saved(tmp_path: Path) -> None:
    CALIBRATION.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == CALIBRATION
    assert CALIBRATION.threshold_for("reasoning") == 0.1
    assert CALIBRATION.threshold_for("translation") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("intent", "poetry"),
        ("threshold", float("nan")),
        ("n", 0),
        ("n", True),
        ("risk_bound", 0),
        ("confidence", 95),
        ("together", 0),
        ("method", "guess"),
        ("basis", "hope"),
        ("observed_loss", None),
        ("band", [0.9, 0.1]),
        ("band", 0.5),
        ("reference", ""),
        ("date", "yesterday"),
        ("date", "2026-11-25"),
        ("data_fingerprint", "x" * 501),
        ("colour", "red"),
    ],
)
def test_a_file_with_a_value_that_cannot_be_is_refused_by_name(
    field: str, value: Any, tmp_path: Path
) -> None:
    path = tmp_path / "calibration.json"
    told = CALIBRATION.to_dict()
    told["certificates"][0][field] = value
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=field):
        Calibration.load(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"format": "langchain-router-calibration-1", "certificates": 3}',
        b'{"format": "langchain-router-calibration-1", "certificates": [{}]}',
        b'{"format": "another"}',
    ],
)
def test_a_file_that_holds_no_calibration_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"calibration\.json"):
        Calibration.load(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Calibration.load(tmp_path / "nowhere.json")


def test_an_intent_has_one_certificate_under_its_own_name_and_no_refusal_beside_it() -> None:
    with pytest.raises(ConfigurationError, match="extraction"):
        Calibration(certificates={"extraction": CERTIFICATE})
    with pytest.raises(ConfigurationError, match="reasoning"):
        Calibration(
            certificates={"reasoning": CERTIFICATE},
            refusals={"reasoning": replace(REFUSAL, intent="reasoning")},
        )
    twice = CALIBRATION.to_dict()
    twice["certificates"] *= 2
    with pytest.raises(ConfigurationError, match="twice"):
        Calibration.from_dict(twice)
