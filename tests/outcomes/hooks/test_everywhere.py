"""A router whose store lasts hears what becomes of its answers, without anybody passing a handler."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable

from langchain_router import Candidate, ChatRouter, open_store
from langchain_router.outcomes.hooks import everywhere
from langchain_router.outcomes.store import OutcomeStore
from langchain_router.testing.scripted import ScriptedChatModel
from tests.outcomes.hooks.test_callbacks import Ask, every_way


def _chain(router: ChatRouter) -> Runnable[Any, Any]:
    return ChatPromptTemplate.from_messages([("human", "{text}")]) | router | JsonOutputParser()


def _router(store: OutcomeStore | Path, answer: str) -> ChatRouter:
    candidate = Candidate(model=ScriptedChatModel(answers=[answer]), name="only", quality=0.9)
    return ChatRouter(candidates=[candidate], quality=0.5, store=store)


def _keys(router: ChatRouter, path: Path) -> list[str]:
    """Return the keys of all feedback that a router's store holds."""
    assert router.flush() == 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return sorted(key for (key,) in connection.execute("select key from router_feedback"))


@every_way
async def test_a_parser_that_fails_is_noted_though_nobody_passed_a_handler(ask: Ask, tmp_path: Path) -> None:
    router = _router(tmp_path / "router.db", "no JSON at all")
    with contextlib.suppress(Exception):
        await ask(_chain(router), {"text": "Say it in JSON."}, None)
    assert _keys(router, tmp_path / "router.db") == ["parser"]


async def test_a_router_takes_in_nothing_of_another_routers_answers(tmp_path: Path) -> None:
    one, other = _router(tmp_path / "one.db", "no JSON"), _router(tmp_path / "other.db", "nor here")
    with pytest.raises(Exception, match="JSON"):
        _chain(one).invoke({"text": "Say it in JSON."})
    assert _keys(one, tmp_path / "one.db") == ["parser"]
    assert _keys(other, tmp_path / "other.db") == []


def test_a_router_without_a_lasting_store_hears_nothing() -> None:
    gc.collect()
    before = len(everywhere._everywhere.handlers)
    router = _router(open_store(None), "no JSON")
    assert len(everywhere._everywhere.handlers) == before
    assert router.core.store is not None


def test_hooks_are_switched_off_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGCHAIN_ROUTER_HOOKS", "none")
    router = _router(tmp_path / "router.db", "no JSON")
    with pytest.raises(Exception, match="JSON"):
        _chain(router).invoke({"text": "Say it in JSON."})
    assert _keys(router, tmp_path / "router.db") == []


def test_a_router_that_is_gone_is_told_nothing_more(tmp_path: Path) -> None:
    gc.collect()
    before = len(everywhere._everywhere.handlers)
    router = _router(tmp_path / "router.db", "fine")
    assert len(everywhere._everywhere.handlers) == before + 1
    del router
    gc.collect()
    assert len(everywhere._everywhere.handlers) == before
