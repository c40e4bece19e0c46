"""Serves the helpers of this folder to its tests, which cannot import them: pytest runs with importlib."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _load(name: str) -> None:
    """Load a file of this folder under the name by which the others import it."""
    full_name = f"tests.execution.{name}"
    if full_name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(full_name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[full_name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


for _name in ("breakers", "storm", "walks"):  # each needs those before it
    _load(_name)
