"""How much predicted quality may be given up for an intent, by what was certified of fitted plans."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_router.exceptions import ConfigurationError
from langchain_router.signals.types import Intent
from langchain_router.wording import kind_of

if TYPE_CHECKING:
    from langchain_router.evaluation.calibration.calibration import Calibration
    from langchain_router.evaluation.calibration.watch import CertificateWatch
    from langchain_router.policies.fitted_plans import FittedPlans


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """How much predicted quality may be given up for a request.

    Attributes:
        value: In score points; -inf where nothing is certified: then the best single model answers.
        certificate: What that rests on, as data, or None.
    """

    value: float = -math.inf
    certificate: dict[str, Any] | None = field(default=None, repr=False)


class CertifiedSlacks:
    """The slacks that a calibration certifies for fitted plans, and the watch over them.

    Args:
        given: A calibration, or the file of one.
        plans: What it must be about.

    Attributes:
        watch: Tells which certificates no longer fit what is heard, if it is fed with lessons.

    Raises:
        ConfigurationError: The file holds no calibration, or it is about something else.
    """

    def __init__(self, given: Calibration | str | os.PathLike[str], *, plans: FittedPlans) -> None:
        from langchain_router.evaluation.calibration.watch import CertificateWatch

        self._calibration = _calibration(given)
        for one in self._calibration.certificates.values():
            if one.policy != plans.fingerprint:
                raise ConfigurationError(
                    f"The calibration is about {one.policy!r}, not about these plans, {plans.fingerprint!r}: "
                    "its certificates say nothing of them. Take the plans that were saved with it, or make "
                    "both anew: langchain-router calibrate --data FILE --save plans.npz --json OUT.json"
                )
        self.watch: CertificateWatch = CertificateWatch(self._calibration, policy="adaptive")

    def of(self, intent: Intent, *, all_able: bool) -> Slack:
        """Return the slack for a request.

        Args:
            intent: Of the request.
            all_able: Whether all plans may be chosen. With some of them missing others would be, of which
                nothing was certified.
        """
        certificate = self._calibration.certificates.get(intent) if all_able else None
        if certificate is None:
            return Slack()
        return Slack(value=certificate.threshold, certificate=certificate.to_dict())

    def __repr__(self) -> str:
        return f"certified for {', '.join(self._calibration.certificates) or 'no intent'}"


def _calibration(given: object) -> Calibration:
    from langchain_router.evaluation.calibration.calibration import Calibration

    if isinstance(given, Calibration):
        return given
    if isinstance(given, (str, os.PathLike)):
        return Calibration.load(given)
    raise ConfigurationError(
        "calibration must be a Calibration or the path of a file that `langchain-router calibrate --json` "
        f"wrote; got {kind_of(given)}."
    )
