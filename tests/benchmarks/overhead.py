"""What the router costs beside what it stands on: import time, decision time, time around a model call.

Run with `make overhead`. Everything is compared within one run, in pairs taken in turn, so the ratios hold
on a busy machine; the absolute times do not.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from langchain_core.language_models.fake_chat_models import FakeListChatModel

from langchain_router import Candidate, ChatRouter, Price

_IMPORT_RUNS = 7
_CALL_ROUNDS = 400

_CORE = "import langchain_core.language_models.chat_models"
_OURS = f"{_CORE}; import langchain_router"
_OURS_USED = f"{_CORE}; from langchain_router import ChatRouter"


def main() -> None:
    """Measure and print."""
    print(f"{'what':<52} {'median':>10} {'beside':>10} {'ratio':>7} {'more':>10}")
    _print_pair("import langchain_router | core chat_models", *_imports(_OURS, _CORE), unit="ms")
    _print_pair("from langchain_router import ChatRouter | core", *_imports(_OURS_USED, _CORE), unit="ms")
    model = FakeListChatModel(responses=["An answer."])
    candidates = [
        Candidate(
            model=model,
            name=name,
            quality=quality,
            context_tokens=4_000_000,
            price=Price.per_million(input_usd=usd, output_usd=usd),
        )
        for name, quality, usd in (
            ("a", 0.78, 0.1),
            ("b", 0.82, 0.2),
            ("c", 0.8, 0.3),
            ("d", 0.93, 3),
            ("e", 0.94, 5),
        )
    ]
    router = ChatRouter(candidates=candidates, store=None)
    prompt = (
        "Summarise the following report in three bullet points for a busy manager: " + "sales rose. " * 30
    )
    _print_pair(
        "router.invoke | the same fake model's invoke",
        *_pairs(lambda: router.invoke(prompt), lambda: model.invoke(prompt)),
    )
    with tempfile.TemporaryDirectory() as folder:
        storing = ChatRouter(candidates=candidates, store=Path(folder) / "router.db")
        _print_pair(
            "router.invoke with a SQLite store | without",
            *_pairs(lambda: storing.invoke(prompt), lambda: router.invoke(prompt)),
        )
        storing.flush()
        storing.store.close()
    _print_pair(
        "router.decide | the same fake model's invoke",
        *_pairs(lambda: router.decide(prompt), lambda: model.invoke(prompt)),
    )
    long_prompt = prompt * 25_000
    _print_pair(
        f"decide on {len(long_prompt) / 1e6:.0f} MB | on {len(prompt)} characters",
        *_pairs(lambda: router.decide(long_prompt), lambda: router.decide(prompt), rounds=60),
    )


def _imports(ours: str, theirs: str) -> tuple[list[float], list[float]]:
    def run(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own two lines
        return time.perf_counter() - started

    run(ours)
    pairs = [(run(ours), run(theirs)) for _ in range(_IMPORT_RUNS)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _pairs(
    ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int = _CALL_ROUNDS
) -> tuple[list[float], list[float]]:
    def run(call: Callable[[], object]) -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    for _ in range(10):
        run(ours)
        run(theirs)
    pairs = [(run(ours), run(theirs)) for _ in range(rounds)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _print_pair(what: str, ours: list[float], theirs: list[float], *, unit: str = "us") -> None:
    scale = {"ms": 1e3, "us": 1e6}[unit]
    ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    more = statistics.median(one - other for one, other in zip(ours, theirs, strict=True))
    figures = (f"{statistics.median(side) * scale:.0f} {unit}" for side in (ours, theirs))
    print(f"{what:<52} {next(figures):>10} {next(figures):>10} {ratio:>7.2f} {more * scale:>+7.0f} {unit}")


if __name__ == "__main__":
    main()
