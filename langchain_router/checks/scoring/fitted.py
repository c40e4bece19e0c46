"""A scorer that was fitted: asked about one live answer or many recorded ones, and kept in a file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from langchain_core.messages import AIMessage
from numpy.typing import NDArray

from langchain_router.checks.scoring.answered import Answered
from langchain_router.checks.scoring.columns import Columns
from langchain_router.checks.scoring.features import CLUE_NAMES, VERSION, FeatureCache
from langchain_router.checks.scoring.logistic import sigmoid
from langchain_router.checks.scoring.sparse import Floats
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest

_NAMED_IN = ("model_name", "model")
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
    zipfile.BadZipFile,
)


class FittedScorer:
    """Says how probable it is that an answer is right, by what it was fitted on. Made by `fit_scorer`.

    An `AnswerScorer` for `LearnedCheck`; safe from threads, as it never changes.

    Attributes:
        columns: What it knows apart.
        examples: On how many answers it was fitted.
        fingerprint: Names what it learned: two of the same judge alike.
    """

    def __init__(
        self, *, columns: Columns, weights: Floats, intercept: float, examples: int, draft: str | None = None
    ) -> None:
        self.columns = columns
        self.examples = examples
        self._weights = weights
        self._intercept = intercept
        self._draft = draft
        self.fingerprint = _fingerprint(columns, weights, intercept)

    def for_draft(self, name: str) -> FittedScorer:
        """Return this scorer for the answers of one model, for the tier of a cascade in which it drafts.

        Without this the model is told by the name that its provider puts into the answer, where that is a
        name the scorer was fitted with; else it judges by what all models have in common.

        Args:
            name: As the examples named it.

        Raises:
            ConfigurationError: It was fitted on answers of several models, but of none by that name.
        """
        if self.columns.drafts and name not in self.columns.drafts:
            known = ", ".join(map(repr, self.columns.drafts))
            raise ConfigurationError(f"The scorer knows no draft {name!r}, only {known}.")
        return FittedScorer(
            columns=self.columns,
            weights=self._weights,
            intercept=self._intercept,
            examples=self.examples,
            draft=name,
        )

    def probability(
        self, request: RoutingRequest, response: AIMessage, seconds: Mapping[str, AIMessage]
    ) -> float:
        """Return the probability that an answer is right.

        Args:
            request: What was asked.
            response: The answer.
            seconds: What others answered; only of use where it was fitted with such.
        """
        draft = self._draft or self._drafted(response)
        one = Answered(prompt=request, answer=response, seconds=seconds, draft=draft)
        return float(self.probabilities([one])[0])

    def probabilities(self, examples: Sequence[Answered], *, cache: FeatureCache | None = None) -> Floats:
        """Return the probability that each answer is right, whatever scores they carry.

        Args:
            examples: Answers; the `draft` of each, where given, says which model wrote it.
            cache: For those who score the same texts many times.
        """
        rows = self.columns.rows(examples, FeatureCache() if cache is None else cache)
        return sigmoid(rows.times(self._weights) + self._intercept)

    def clue_weights(self) -> dict[str, float]:
        """Return by how much each clue moves the log-odds, for all drafts alike; the heaviest first.

        Example:
            >>> from langchain_router.checks.scoring.fitting import fit_scorer
            >>> answers = [Answered(prompt=f"{n}?", answer="?" * (n % 2), score=n % 2) for n in range(60)]
            >>> fit_scorer(answers).clue_weights()["shape.empty"] < 0
            True
        """
        named = zip(CLUE_NAMES, self._weights.tolist(), strict=False)
        return dict(sorted(((n, w) for n, w in named if w), key=lambda one: -abs(one[1])))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to an `.npz` file, without pickle and without a word of what it was fitted on.

        Hashed words can be guessed, so it is not for everybody's eyes where the answers were not.

        Args:
            path: Written as it is, whatever its ending.
        """
        columns = np.flatnonzero(self._weights)
        about = {
            "version": VERSION,
            "drafts": self.columns.drafts,
            "seconds": self.columns.seconds,
            "examples": self.examples,
            "fingerprint": self.fingerprint,
        }
        written = io.BytesIO()
        np.savez_compressed(
            written,
            about=np.frombuffer(json.dumps(about).encode(), np.uint8),
            columns=columns.astype(np.int32),
            weights=self._weights[columns],
            intercept=np.array(self._intercept),
        )
        Path(path).write_bytes(written.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FittedScorer:
        """Read one from a file.

        Raises:
            ConfigurationError: There is none, it was fitted on features of another version, or the file is
                damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                about = json.loads(file["about"].tobytes())
                arrays = {name: file[name] for name in ("columns", "weights", "intercept")}
            version, examples = about["version"], int(about["examples"])
            if version == VERSION:
                known = Columns(drafts=tuple(about["drafts"]), seconds=tuple(about["seconds"]))
                weights = _spread(arrays["columns"], arrays["weights"], known.width)
                intercept = float(arrays["intercept"])
        except FileNotFoundError:
            raise ConfigurationError(f"There is no file {str(path)!r}.") from None
        except _DAMAGED as error:
            raise ConfigurationError(
                f"{str(path)!r} holds no scorer ({type(error).__name__}): save one with FittedScorer.save."
            ) from None
        if version != VERSION:
            raise ConfigurationError(
                f"{str(path)!r} was fitted on features of version {version!r}, and these are of version "
                f"{VERSION}: fit it again."
            )
        scorer = cls(columns=known, weights=weights, intercept=intercept, examples=examples)
        if scorer.fingerprint != about.get("fingerprint"):
            raise ConfigurationError(f"{str(path)!r} is damaged: its fingerprint is another. Save it again.")
        return scorer

    def _drafted(self, response: AIMessage) -> str | None:
        """Return the draft that the provider's name for the model tells."""
        for key in _NAMED_IN:
            name = response.response_metadata.get(key)
            if isinstance(name, str):
                for draft in self.columns.drafts:
                    if name == draft or name.rpartition("/")[2] == draft.rpartition("/")[2]:
                        return draft
        return None

    def __repr__(self) -> str:
        return f"FittedScorer(examples={self.examples}, fingerprint={self.fingerprint!r})"


def _spread(columns: NDArray[np.int32], weights: Floats, width: int) -> Floats:
    """Return the weights of all columns, given those that are not zero."""
    if columns.ndim != 1 or columns.shape != weights.shape or not np.isfinite(weights).all():
        raise ValueError("no weights")
    if not ((columns >= 0) & (columns < width)).all():
        raise ValueError("no such columns")
    spread = np.zeros(width)
    spread[columns] = weights
    return spread


def _fingerprint(columns: Columns, weights: Floats, intercept: float) -> str:
    names = json.dumps([VERSION, columns.drafts, columns.seconds])
    made = hashlib.sha256(names.encode())
    made.update(weights.astype("<f8").tobytes())
    made.update(np.array(intercept, "<f8").tobytes())
    return made.hexdigest()[:16]
