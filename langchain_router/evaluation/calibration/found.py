"""A calibration with what it came from, and how the command tells of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_router.evaluation.calibration.calibration import Calibration
from langchain_router.signals.types import Intent

if TYPE_CHECKING:
    from langchain_router.policies.fitted_plans import FittedPlans


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A calibration with what it came from.

    Attributes:
        calibration: The certificates and refusals.
        saved: By certified intent, the share of the reference's cost that was saved on the requests measured.
            What was seen, not what is certified.
        fitted: Requests that were fitted on.
        calibrated: Requests that were calibrated on.
        notes: What else to know of it, in words.
        plans: What the certificates are about, to be loaded by `AdaptivePolicy` with them; None of a log.
    """

    calibration: Calibration
    saved: Mapping[Intent, float]
    fitted: int
    calibrated: int
    notes: tuple[str, ...] = ()
    plans: FittedPlans | None = None

    def lines(self) -> Iterator[str]:
        """Yield it in words, a line for each intent."""
        yield f"Fitted on {self.fitted} requests, calibrated on {self.calibrated} others."
        yield from self.notes
        for intent, one in self.calibration.certificates.items():
            yield ""
            yield f"{intent}: slack {one.threshold:g}, which saves {self.saved[intent]:.1%} of cost here."
            yield f"  Certified: {one.sentence()}."
        if self.calibration.refusals:
            yield ""
            yield "What is said to be needed below is needed in the part calibrated on."
        for refusal in self.calibration.refusals.values():
            yield ""
            yield f"{refusal.intent}: no certificate."
            yield f"  {refusal.reason[:1].upper()}{refusal.reason[1:]}."
