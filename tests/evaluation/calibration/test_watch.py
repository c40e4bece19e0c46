"""A watch tells a change from chance, however often one looks, and forgets what was taken back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from langchain_router.evaluation.calibration.calibration import Calibration
from langchain_router.evaluation.calibration.watch import CertificateWatch
from langchain_router.exceptions import ConfigurationError
from langchain_router.experiments.confidence import mean_interval
from langchain_router.outcomes.lessons import Labelled
from tests.evaluation.calibration.test_certificate import CERTIFICATE
from tests.policies.exploring import judged

LATER_S = CERTIFICATE.at_s + 60.0
CALIBRATION = Calibration(certificates={"reasoning": CERTIFICATE})


def said(score: float | None, **changes: Any) -> Labelled:
    return judged("small", score, **{"at_s": LATER_S, **changes})


def watch(**options: Any) -> CertificateWatch:
    return CertificateWatch(CALIBRATION, **options)


def taught(*lessons: Labelled, **options: Any) -> CertificateWatch:
    made = watch(**options)
    for lesson in lessons:
        made.learn(lesson)
    return made


def test_answers_that_are_judged_worse_make_the_certificate_stale_with_advice() -> None:
    seen = taught(*[said(float(i % 2)) for i in range(400)])  # 0.5; the band is 0.7 to 0.8
    assert seen.stale() == ("reasoning",)
    health = seen.health()
    assert health["stale"] == ["reasoning"]
    assert "recalibrate" in health["advice"]["reasoning"]
    assert "lower" in health["advice"]["reasoning"]
    assert "400 judged" in health["advice"]["reasoning"]


def test_answers_that_are_judged_as_before_or_too_few_to_tell_leave_it_alone() -> None:
    assert taught(*[said(float(i % 4 > 0)) for i in range(1_000)]).stale() == ()
    assert taught(*[said(0.0) for _ in range(3)]).stale() == ()
    assert "nothing to do" in watch().health()["advice"]["reasoning"]


def test_answers_that_are_judged_better_are_told_too() -> None:
    assert "higher" in taught(*[said(1.0) for _ in range(200)]).health()["advice"]["reasoning"]


@pytest.mark.parametrize(
    "lesson",
    [
        said(0.0, intent="extraction"),
        said(0.0, at_s=CERTIFICATE.at_s - 1.0),
        said(0.0, weight=0.5),
        said(0.0).ended,
    ],
    ids=["another intent", "before the certificate", "inferred", "not judged"],
)
def test_what_says_nothing_of_the_certificate_is_not_counted(lesson: Any) -> None:
    assert taught(*[lesson] * 500).standings()[0].n == 0


def test_only_decisions_of_the_policy_named_are_counted() -> None:
    lessons = [said(0.0)] * 9  # of a policy called thompson
    assert taught(*lessons, policy="adaptive").standings()[0].n == 0
    assert taught(*lessons, policy="thompson").standings()[0].n == 9


def test_lessons_in_any_order_and_labels_that_changed_come_to_the_same() -> None:
    lessons = [said(0.3), said(1.0), said(0.0, old=1.0), said(None, old=0.3), said(0.7)]
    one, other = taught(*lessons), taught(*reversed(lessons))
    assert one.state() == other.state()
    assert one.standings() == other.standings()
    assert one.standings()[0].n == 2
    assert one.standings()[0].mean == pytest.approx(0.35, abs=1e-3)


def test_its_state_is_saved_loaded_and_forgotten() -> None:
    seen, fresh = taught(*[said(0.0)] * 100), watch()
    fresh.load(seen.state())
    assert fresh.standings() == seen.standings()
    fresh.forget()
    assert fresh.standings() == watch().standings()
    for state in (b"", b"[]", b'{"poetry": [1, 2]}', b'{"reasoning": [1]}', b'{"reasoning": [1, true]}'):
        with pytest.raises(ValueError, match=r"certificate watch|JSON|Expecting"):
            fresh.load(state)
    other = Calibration(certificates={"reasoning": replace(CERTIFICATE, threshold=0.2)})
    assert CertificateWatch(other).fingerprint != watch().fingerprint


def test_a_band_of_ones_own_takes_the_place_of_the_certificate_s() -> None:
    low = [said(0.0)] * 50
    assert taught(*low, bands={"reasoning": (0.0, 0.1)}).stale() == ()
    for bands in ({"extraction": (0.0, 1.0)}, {"reasoning": (0.9, 0.1)}):
        with pytest.raises(ConfigurationError, match="bands"):
            watch(bands=bands)


def test_simulated_watches_of_unchanged_traffic_seldom_ever_call_a_certificate_stale() -> None:
    rng = np.random.default_rng(9)
    certificate = replace(CERTIFICATE, confidence=0.9)
    runs, looks, quality, false_alarms = 100, 40, 0.75, 0
    for _ in range(runs):
        then = float(rng.binomial(600, quality))
        band = mean_interval(then, 600, confidence=0.95)
        seen = CertificateWatch(Calibration(certificates={"reasoning": replace(certificate, band=band)}))
        stale = False
        for _ in range(looks):
            for score in (rng.random(10) < quality).astype(float):
                seen.learn(said(score))
            stale = stale or bool(seen.stale())
        false_alarms += stale
    assert false_alarms / runs <= 0.1 + 3 * math.sqrt(0.09 / runs)
