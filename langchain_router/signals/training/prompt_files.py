"""Reads the prompts that the shipped weights are trained on.

One file per language and intent, `prompts/<language>/<intent>.txt`; each prompt follows a line that begins
with `--- ` and its difficulty, 1 to 5.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_router.exceptions import ConfigurationError
from langchain_router.signals.types import INTENTS, Intent

PROMPTS: Final = Path(__file__).parent / "prompts"

_PARTING: Final = re.compile(r"^--- ?([1-5])[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A prompt written for training.

    Attributes:
        prompt: The text.
        intent: Which of the nine it is.
        difficulty: 1 (trivial) to 5 (very hard), as its author judged.
        language: Folder that it stands in.
        file: Name of its file; an author's files of one intent may bear `-` and a word after it.
    """

    prompt: str
    intent: Intent
    difficulty: int
    language: str
    file: str


def read_prompts(folder: Path = PROMPTS) -> list[Example]:
    """Read every prompt, in an order that depends on names alone; a prompt that comes twice is read once.

    Raises:
        ConfigurationError: The folder holds no prompts, or a file is not named for an intent.
    """
    found: dict[str, Example] = {}
    for path in sorted(folder.glob("*/*.txt"), key=lambda path: (path.parent.name, path.name)):
        intent = next((one for one in INTENTS if path.stem.partition("-")[0] == one), None)
        if intent is None:
            raise ConfigurationError(
                f"{path.parent.name}/{path.name} is not named for an intent. "
                f"Name it one of {', '.join(INTENTS)}."
            )
        parts = _PARTING.split(path.read_text(encoding="utf-8"))
        for difficulty, prompt in zip(parts[1::2], parts[2::2], strict=True):
            text = prompt.strip()
            if text:
                found.setdefault(
                    text,
                    Example(
                        prompt=text,
                        intent=intent,
                        difficulty=int(difficulty),
                        language=path.parent.name,
                        file=f"{path.parent.name}/{path.name}",
                    ),
                )
    if not found:
        raise ConfigurationError(f"No prompts in {folder.name!r}: it needs <language>/<intent>.txt files.")
    return list(found.values())


def fingerprint_of(examples: Iterable[Example]) -> str:
    """Return a hash of prompts, intents and difficulties: what weights were trained on."""
    digest = hashlib.sha256()
    for one in examples:
        digest.update(f"{one.language}\0{one.intent}\0{one.difficulty}\0{one.prompt}\0".encode())
    return digest.hexdigest()
