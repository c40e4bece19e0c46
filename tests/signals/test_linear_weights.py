"""Files of weights: small, exact, and never executed."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from langchain_router.exceptions import ConfigurationError
from langchain_router.signals.linear_weights import LinearWeights, load_weights
from langchain_router.signals.ngrams import BITS, hashed


def some() -> LinearWeights:
    weights = np.random.default_rng(0).normal(size=(2**BITS, 2))
    return LinearWeights.rounded(weights, {"kind": "test", "temperature": 0.5})


def test_weights_come_back_as_they_were_saved(tmp_path: Path) -> None:
    one = some()
    one.save(tmp_path / "w.npz")
    back = load_weights(tmp_path / "w.npz", kind="test", classes=2)
    text = hashed("some words")
    assert back.fingerprint == one.fingerprint
    assert (back.scores(text) == one.scores(text)).all()
    assert back.about == one.about


def test_rounding_moves_no_weight_by_more_than_half_a_step() -> None:
    weights = np.random.default_rng(1).normal(size=(2**BITS, 1))
    rounded = LinearWeights.rounded(weights, {"kind": "test"})
    assert np.abs(rounded.full() - weights).max() <= rounded.scales[0] * 0.501


def test_a_pickle_in_the_file_is_refused_and_not_executed(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "exploded"),))

    path = tmp_path / "w.npz"
    np.savez(path, table=np.array([Bomb()], dtype=object), scales=np.ones(2), about=np.zeros(2, np.uint8))
    with pytest.raises(ConfigurationError, match="no weights that can be read"):
        load_weights(path, kind="test", classes=2)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ConfigurationError):
        load_weights(path, kind="test", classes=2)
    assert not (tmp_path / "exploded").exists()


def test_other_weights_and_damaged_files_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    some().save(path)
    with pytest.raises(ConfigurationError, match="other weights"):
        load_weights(path, kind="intent", classes=2)
    with pytest.raises(ConfigurationError, match="damaged"):
        load_weights(path, kind="test", classes=9)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ConfigurationError, match="Save them anew"):
        load_weights(path, kind="test", classes=2)
    with pytest.raises(ConfigurationError, match="cannot be read from"):
        load_weights(tmp_path / "missing.npz", kind="test", classes=2)
