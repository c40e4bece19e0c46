"""Runs the reliability scorecard: every row after another, each in a process of its own.

    make scorecard                               # all of it; writes docs/reliability.md and .json
    python tests/scorecard/run.py --quick        # small counts, writes nothing
    python tests/scorecard/run.py --only U1 C2   # some rows, writes nothing

A process of its own lets a row be ended when it hangs, and lets it count its own threads, sockets and
memory. Exits with status 1 when a P0 row fails or fewer than 95 % of all rows pass.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ["LANGCHAIN_ROUTER_STORE"] = "none"  # rows that test a store open their own

from tests.scorecard.report import page, summary, to_json  # noqa: E402
from tests.scorecard.row import ROWS, UNTIMED, Figures, Result, Row, Scale  # noqa: E402

_GROUPS = tuple(sorted(path.stem for path in (ROOT / "tests" / "scorecard" / "rows").glob("*.py")))
_PRELOADED = (
    "hypothesis",
    "langchain_openai",
    "langchain_router.chat.events",
    "langchain_router.chat.streamed",
    "langchain_router.checks",
    "langchain_router.providers.litellm",
)
_GRACE_S = 2.0
_NOISE_LINES = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit status."""
    asked = _parsed(arguments)
    rows = all_rows()
    unknown = [id_ for id_ in asked.only if id_ not in rows]
    if unknown:
        raise SystemExit(f"No row {unknown[0]!r}; there are {', '.join(rows)}.")
    chosen = [rows[id_] for id_ in rows if not asked.only or id_ in asked.only]
    scale = Scale(is_quick=asked.quick)
    results: list[Result] = []
    started_s = time.monotonic()
    for result in run(chosen, scale):
        results.append(result)
        row = result.row
        verdict = "pass" if result.passed else "FAIL"
        priority = "P0" if row.is_p0 else "  "
        print(f"{row.id:<4}{priority} {verdict}  {result.seconds:6.1f} s  {row.scenario}", flush=True)
        print(f"       {result.measured}", flush=True)
    seconds = time.monotonic() - started_s
    order = list(all_rows())
    results.sort(key=lambda result: order.index(result.row.id))
    ends_well, text = summary(results)
    print(f"{text} {seconds:.0f} s.")
    data = to_json(results, scale=scale, seconds=seconds)
    if asked.json:
        _write(Path(asked.json), json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    if not (asked.quick or asked.only):
        _write(ROOT / "docs" / "reliability.json", json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        _write(ROOT / "docs" / "reliability.md", page(data))
    return 0 if ends_well else 1


def all_rows() -> dict[str, Row]:
    """Return every row by its id, in the order of the scorecard."""
    for group in _GROUPS:
        importlib.import_module(f"tests.scorecard.rows.{group}")
    return dict(sorted(ROWS.items(), key=lambda item: ("UCISLX".index(item[0][0]), int(item[0][1:]))))


def run(rows: Sequence[Row], scale: Scale) -> Iterator[Result]:
    """Run rows one after another, then those that need no quiet machine two at a time; yield as they end."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context: Any = multiprocessing.get_context(method)
    if method == "forkserver":
        groups = (f"tests.scorecard.rows.{group}" for group in _GROUPS)
        context.set_forkserver_preload([*_PRELOADED, *groups])
    for row in rows:
        if row.id not in UNTIMED:
            yield _result(context, row, scale)
    with ThreadPoolExecutor(max_workers=2) as two:
        untimed = [row for row in rows if row.id in UNTIMED]
        yield from two.map(lambda row: _result(context, row, scale), untimed)


def _result(context: Any, row: Row, scale: Scale) -> Result:
    bound_s = row.quick_bound_s if scale.is_quick else row.bound_s
    ours, theirs = context.Pipe(duplex=False)
    with tempfile.NamedTemporaryFile("w+", prefix="scorecard-") as noise:
        process = context.Process(target=_measure, args=(row.id, scale, theirs, noise.name), daemon=True)
        started_s = time.monotonic()
        process.start()
        theirs.close()
        came: tuple[Figures | None, str | None] = (None, None)
        if not ours.poll(bound_s):
            came = (None, f"took longer than {bound_s:g} s")
        else:
            try:
                came = ours.recv()
            except EOFError:
                came = (None, "ended without a word")
        seconds = time.monotonic() - started_s
        process.join(_GRACE_S if came[1] is None else 0)
        if process.is_alive():
            process.kill()
            process.join()
        figures, error = came
        if error is not None:
            said = Path(noise.name).read_text(encoding="utf-8", errors="replace").splitlines()
            sys.stderr.write("\n".join(said[-_NOISE_LINES:]) + "\n")
    return Result(
        row=row,
        passed=error is None and figures is not None and figures.passed,
        figures=() if figures is None else tuple(figures.figures),
        error=error,
        seconds=seconds,
    )


def _measure(id_: str, scale: Scale, told: Connection, noise: str) -> None:
    """Run a row, in the process that is its own; what it prints, and LiteLLM does, is kept apart."""
    with Path(noise).open("a", encoding="utf-8") as sink, contextlib.ExitStack() as stack:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        stack.enter_context(contextlib.redirect_stdout(sink))
        stack.enter_context(contextlib.redirect_stderr(sink))
        gc.freeze()  # else the first collection copies every page that the fork shares: a quarter of a second
        try:
            told.send((all_rows()[id_].measure(scale), None))
        except BaseException as error:  # noqa: BLE001 - told to whoever runs the rows
            traceback.print_exc()
            where = traceback.extract_tb(error.__traceback__)[-1]
            told.send((None, f"raised {type(error).__name__} at {Path(where.filename).name}:{where.lineno}"))
        sink.flush()
        os._exit(0)  # threads that hang on purpose must not hold it up


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    print(f"Wrote {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small counts; writes no page")
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="only these rows; writes no page")
    parser.add_argument("--json", metavar="PATH", help="write the figures there, too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
