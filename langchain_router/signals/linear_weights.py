"""Learned weights as they are shipped: 8 bits each in an .npz file, without pickle."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.exceptions import ConfigurationError
from langchain_router.signals.ngrams import BITS, MAP_NAME, Hashed

_LARGEST: Final = 127
_MOST_ABOUT_BYTES: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearWeights:
    """One small whole number per bucket and class, with a scale per class.

    Attributes:
        table: Buckets by classes.
        scales: What 1 in the table stands for, by class.
        about: What goes with them: kind, numbers of the model, what they were trained on. JSON values only.
    """

    table: NDArray[np.int8] = field(repr=False)
    scales: NDArray[np.float32] = field(repr=False)
    about: Mapping[str, Any]

    @staticmethod
    def rounded(weights: NDArray[np.float64], about: Mapping[str, Any]) -> LinearWeights:
        """Round weights to 8 bits, on a scale of each class's own."""
        scales = (np.abs(weights).max(axis=0) / _LARGEST).astype(np.float32)
        scales[scales == 0] = 1
        table = np.clip(np.rint(weights / scales), -_LARGEST, _LARGEST).astype(np.int8)
        return LinearWeights(table=table, scales=scales, about={"map": MAP_NAME, **about})

    @property
    def fingerprint(self) -> str:
        """A hash of the weights and what goes with them, whatever file they stand in."""
        digest = hashlib.sha256(np.ascontiguousarray(self.table).tobytes())
        digest.update(np.asarray(self.scales, "<f4").tobytes())
        digest.update(_written(self.about))
        return digest.hexdigest()[:16]

    def scores(self, text: Hashed) -> NDArray[np.float32]:
        """Return one score per class."""
        found: NDArray[np.float32] = (text.values @ self.table[text.places].astype(np.float32)) * self.scales
        return found

    def full(self) -> NDArray[np.float64]:
        """Return the weights themselves."""
        return self.table.astype(np.float64) * self.scales

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an .npz file; equal weights give equal arrays in it.

        Raises:
            ConfigurationError: It cannot be written.
        """
        try:
            with Path(path).open("wb") as file:
                np.savez_compressed(
                    file,
                    table=self.table,
                    scales=self.scales,
                    about=np.frombuffer(_written(self.about), np.uint8),
                )
        except OSError as error:
            raise ConfigurationError(f"The weights cannot be written to {str(path)!r}: {error}") from error


def load_weights(path: str | os.PathLike[str], *, kind: str, classes: int) -> LinearWeights:
    """Read weights that `LinearWeights.save` wrote. Nothing in the file is ever executed.

    Raises:
        ConfigurationError: No such file, or it holds other weights than these.
    """
    try:
        with Path(path).open("rb") as file:
            return _read(file, str(path), kind=kind, classes=classes)
    except OSError as error:
        raise ConfigurationError(f"The weights cannot be read from {str(path)!r}: {error}") from error


def shipped_weights(name: str, *, kind: str, classes: int) -> LinearWeights:
    """Read weights that come with the package."""
    with (resources.files("langchain_router.signals") / "weights" / name).open("rb") as file:
        return _read(file, name, kind=kind, classes=classes)


def _read(file: IO[bytes], name: str, *, kind: str, classes: int) -> LinearWeights:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            table, scales, about = (arrays[key] for key in ("table", "scales", "about"))
        told = json.loads(about.astype(np.uint8).tobytes()[:_MOST_ABOUT_BYTES])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{name!r} holds no weights that can be read ({type(error).__name__}). Save them anew."
        ) from error
    if not isinstance(told, dict) or told.get("kind") != kind or told.get("map") != MAP_NAME:
        raise ConfigurationError(
            f"{name!r} holds other weights: expected {kind!r} on {MAP_NAME!r}. Fit and save them anew."
        )
    fits = table.dtype == np.int8 and table.shape == (2**BITS, classes) and scales.shape == (classes,)
    if not fits or not np.isfinite(scales).all():
        raise ConfigurationError(
            f"{name!r} is damaged: expected a table of {2**BITS} x {classes}. Save it anew with save()."
        )
    return LinearWeights(table=table, scales=scales.astype(np.float32), about=told)


def _written(about: Mapping[str, Any]) -> bytes:
    return json.dumps(about, sort_keys=True, ensure_ascii=False).encode()
