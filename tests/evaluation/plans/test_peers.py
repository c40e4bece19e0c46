"""Other routers' scores of prompts."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from langchain_router.evaluation.plans.peers import HEURISTIC, PEERS, TIERS, find_peers


@pytest.fixture(autouse=True)
def looked_for_anew() -> Iterator[None]:
    find_peers.cache_clear()
    yield
    find_peers.cache_clear()


def test_litellms_classifiers_score_prompts() -> None:
    peers = find_peers()
    assert {peer.name for peer in peers.found} | set(peers.absent) == set(PEERS)
    by_name = {peer.name: peer for peer in peers.found}
    hard = "Think step by step: design a distributed database architecture and analyze the trade-offs."
    if HEURISTIC in by_name:
        easy, difficult = by_name[HEURISTIC].scores(["hello", hard])
        assert easy < difficult
    if TIERS in by_name:
        assert all(0 <= score <= 1 for score in by_name[TIERS].scores(["hello", hard]))


def test_what_cannot_be_loaded_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm.router_strategy.complexity_router.tier_predictor", None)
    peers = find_peers()
    assert TIERS not in {peer.name for peer in peers.found}
    assert "ModuleNotFoundError" in peers.absent[TIERS]
