"""Which models are kin, by their names: kin share their errors."""

from __future__ import annotations

import re
from typing import Final

_KIN: Final = {
    "o": "gpt",
    "chatgpt": "gpt",
    "mixtral": "mistral",
    "zephyr": "mistral",
    "vicuna": "llama",
    "tulu": "llama",
    "wizardlm": "llama",
    "code": "llama",
    "codellama": "llama",
    "gemma": "gemini",
}
"""Names of models by which family they were made from; others belong to the family of their own name."""


def family(model: str) -> str:
    """Return the family that a model's name speaks of.

    Example:
        >>> family("mistralai/mixtral-8x7b-chat"), family("o1-mini"), family("zephyr-7b-beta")
        ('mistral', 'gpt', 'mistral')
    """
    word = re.match(r"[a-z]*", model.rpartition("/")[2].lower())
    first = word[0] if word else ""
    return _KIN.get(first, first)
