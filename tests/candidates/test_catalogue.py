"""The catalogue: complete, sourced, and in step with LiteLLM's map."""

from __future__ import annotations

import pytest

from langchain_router.candidates.catalogue import CatalogueEntry, catalogue, catalogue_entry
from langchain_router.providers.litellm_map import model_info
from langchain_router.signals import INTENTS

EVERY = pytest.mark.parametrize("entry", catalogue().values(), ids=catalogue())


@EVERY
def test_every_model_has_a_price_and_a_window_in_litellms_map(entry: CatalogueEntry) -> None:
    info = model_info(entry.name)
    if info is None:
        pytest.skip(f"this LiteLLM's map does not have {entry.name}")
    assert info.price is not None
    assert info.price.input_usd_per_token > 0
    assert info.price.output_usd_per_token > 0
    assert (info.context_tokens or 0) >= 8_192


@EVERY
def test_every_model_has_a_quality_for_each_of_the_nine_intents(entry: CatalogueEntry) -> None:
    assert set(entry.quality_by_intent) == set(INTENTS)
    assert all(0 < quality < 1 for quality in (entry.quality, *entry.quality_by_intent.values()))
    assert min(entry.quality_by_intent.values()) < entry.quality < max(entry.quality_by_intent.values())


@EVERY
def test_every_figure_has_a_source(entry: CatalogueEntry) -> None:
    assert entry.latency_s is None or entry.latency_s > 0
    assert {"quality", "latency", "quality_by_intent"} <= set(entry.sources)
    assert all(source.strip() for source in entry.sources.values())
    kinds = ("published: ", "estimated: ", "landscape table of the project's seed article")
    assert entry.sources["quality"].startswith(kinds)
    assert entry.sources["latency"].startswith(kinds)


@EVERY
def test_every_model_names_the_variable_that_holds_its_key(entry: CatalogueEntry) -> None:
    assert entry.key_env.isupper()
    assert entry.key_env.isidentifier()


@EVERY
def test_a_tier_follows_the_list_price(entry: CatalogueEntry) -> None:
    info = model_info(entry.name)
    if info is None or info.price is None:
        pytest.skip(f"this LiteLLM's map has no price for {entry.name}")
    blended = info.price.cost_usd(input_tokens=750_000, output_tokens=250_000)
    assert entry.tier == ("cheap" if blended < 1 else "standard" if blended <= 4 else "premium")


@pytest.mark.parametrize(
    ("name", "quality", "latency_s"),
    [
        ("openai/gpt-4o", 0.94, 2.1),
        ("openai/gpt-4o-mini", 0.82, 0.6),
        ("vertex_ai/claude-3-5-sonnet@20240620", 0.93, 1.8),
        ("vertex_ai/claude-3-haiku@20240307", 0.80, 0.5),
    ],
)
def test_the_articles_models_keep_the_articles_figures(name: str, quality: float, latency_s: float) -> None:
    entry = catalogue()[name]
    assert (entry.quality, entry.latency_s) == (quality, latency_s)


def test_there_is_a_current_model_in_every_tier_from_several_providers() -> None:
    current = [entry for entry in catalogue().values() if not entry.retired]
    assert {entry.tier for entry in current} == {"cheap", "standard", "premium"}
    assert len({entry.key_env for entry in current}) >= 4
    assert {"openai/gpt-4o", "openai/gpt-4o-mini"} <= {entry.name for entry in current}
    assert any("claude-sonnet" in entry.name for entry in current)
    assert any("claude-haiku" in entry.name for entry in current)


def test_a_model_is_found_with_or_without_its_provider_but_not_at_another() -> None:
    assert catalogue_entry("gpt-4o") is catalogue_entry("openai/gpt-4o") is catalogue()["openai/gpt-4o"]
    assert catalogue_entry("azure/gpt-4o") is None
    assert catalogue_entry("openai/gpt-oss-20b") is None  # listed at Groq, which is another host
    assert catalogue_entry("nobody/nothing") is None
    assert catalogue_entry("") is None


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        catalogue()["x"] = catalogue()["openai/gpt-4o"]  # type: ignore[index]
