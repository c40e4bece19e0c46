"""Where the figures go: a terminal or a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from langchain_router.exceptions import ConfigurationError

_WIDTH = 100  # of the tables where the output is not a terminal


def make_console() -> Any:
    """Return a console for tables.

    Raises:
        ConfigurationError: rich is not installed.
    """
    try:
        from rich.console import Console
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise ConfigurationError(
            "The tables need rich: pip install 'langchain-llm-router[report]'."
        ) from None
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def write_json(path: str, found: object) -> None:
    """Write figures to a file.

    Raises:
        ConfigurationError: It cannot be written.
    """
    try:
        Path(path).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The figures cannot be written to {path!r}: {error}") from error
