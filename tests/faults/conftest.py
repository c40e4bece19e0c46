"""Serves the fault server to tests, which cannot import it: pytest runs with `--import-mode=importlib`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.server import FaultServer


def _load(name: str) -> None:
    """Load a file of this folder under the name by which the others import it."""
    full_name = f"tests.faults.{name}"
    if full_name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(full_name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[full_name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


for _name in ("exchange", "behaviours", "server", "routed"):  # each needs those before it
    _load(_name)


@pytest.fixture(scope="session")
def shared_fault_server() -> Iterator[FaultServer]:
    from tests.faults.server import FaultServer

    with FaultServer() as server:
        yield server


@pytest.fixture
def fault_server(shared_fault_server: FaultServer) -> Iterator[FaultServer]:
    """The fault server, with nothing scripted or counted yet."""
    shared_fault_server.forget()
    yield shared_fault_server
    shared_fault_server.forget()
