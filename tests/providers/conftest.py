"""A server whose next replies a test writes out, one way to ask a model in all four ways, recorded traffic.

The parts of the recorded traffic are loaded by hand: pytest runs with `--import-mode=importlib`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_router.testing.loopback import LoopbackServer, Reply


def _load(name: str) -> None:
    full_name = f"tests.providers.traffic.{name}"
    if full_name in sys.modules:
        return
    path = Path(__file__).with_name("traffic") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(full_name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[full_name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


for _name in ("recordings", "routes", "calls", "answers", "known", "replay"):  # each needs those before it
    _load(_name)

Ask = Callable[..., AIMessage]


@dataclass
class Upstream:
    """Gives every request the reply that is set."""

    reply: Reply = field(default_factory=Reply)
    asked: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def says(self, body: Mapping[str, Any] | bytes, status: int = 200, **headers: str) -> None:
        """Answer with this body, JSON unless it is bytes."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.reply = Reply(status=status, body=raw, headers=headers)

    def streams(self, *events: Mapping[str, Any] | str, done: bool = True, dropped: bool = False) -> None:
        """Answer with these events: JSON, or text as it is."""
        texts = [one if isinstance(one, str) else json.dumps(one) for one in events]
        lines = [f"data: {text}\n\n".encode() for text in [*texts, *(["[DONE]"] if done else [])]]
        self.reply = Reply(events=lines, dropped=dropped)


@pytest.fixture(scope="module")
def _upstream() -> Iterator[Upstream]:
    upstream = Upstream()

    def respond(_method: str, _path: str, body: bytes) -> Reply:
        upstream.asked.append(json.loads(body))
        return upstream.reply

    server = LoopbackServer(respond)
    upstream.port = server.port
    yield upstream
    server.close()


@pytest.fixture
def upstream(_upstream: Upstream) -> Upstream:
    _upstream.reply = Reply(status=500)
    _upstream.asked.clear()
    return _upstream


@pytest.fixture
def ask() -> Ask:
    """Asks in one of the four ways; a stream's chunks are put together."""

    def call(model: Any, way: str, question: Any = "Hello", **options: Any) -> AIMessage:
        async def astreamed() -> Any:
            whole: Any = None
            async for chunk in model.astream(question, **options):
                whole = chunk if whole is None else whole + chunk
            return whole

        if way == "invoke":
            return model.invoke(question, **options)  # type: ignore[no-any-return]
        if way == "ainvoke":
            return asyncio.run(model.ainvoke(question, **options))  # type: ignore[no-any-return]
        if way == "astream":
            return asyncio.run(astreamed())  # type: ignore[no-any-return]
        whole: Any = None
        for chunk in model.stream(question, **options):
            whole = chunk if whole is None else whole + chunk
        return whole  # type: ignore[no-any-return]

    return call
