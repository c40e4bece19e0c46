"""Which models are kin, by their names."""

from __future__ import annotations

from langchain_router.candidates.family import family


def test_a_family_is_read_from_a_name() -> None:
    names = ["o3-mini", "gpt-4", "meta/llama-2", "WizardLM/WizardLM-13B", "zephyr-7b", "Yi-34B", "7b"]
    assert [family(name) for name in names] == ["gpt", "gpt", "llama", "llama", "mistral", "yi", ""]
