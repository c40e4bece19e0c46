"""What `langchain_router.checks` offers, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from langchain_router import checks

HEAVY = (
    "litellm",
    "langchain_litellm",
    "jsonschema",
    "referencing",
    "numpy",
    "langchain.agents",
    "sqlalchemy",
)


def loaded_after(code: str) -> list[str]:
    script = f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(  # noqa: S603 - this interpreter, code from above
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.split()


def test_every_name_is_there() -> None:
    for name in checks.__all__:
        assert getattr(checks, name).__name__ == name or name == "Review"
    assert dir(checks) == checks.__all__ == sorted(checks.__all__)


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'PoliteCheck'"):
        _ = checks.PoliteCheck


def test_importing_the_checks_loads_nothing_heavy() -> None:
    assert loaded_after("import langchain_router.checks") == []
    every = "from langchain_router.checks import *\nHeuristicCheck() & SchemaCheck()"
    assert loaded_after(every) == []
