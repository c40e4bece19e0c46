"""The store whose file is damaged, belongs to something else, or is of a newer version."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from langchain_router.exceptions import StoreCorruptError, StoreError
from langchain_router.outcomes.store import open_store
from tests.outcomes.makers import request, said
from tests.scorecard.row import Figures, Scale, row
from tests.scorecard.store_parts import folder as a_folder
from tests.scorecard.store_parts import made


@row(
    "S3",
    "The file is damaged, belongs to something else, or is of a newer version",
    "It opens or is refused by its name with StoreCorruptError, within a second; what was refused is "
    "unchanged to the byte, and repair='rename' puts it aside. 1,000 files with bytes changed, cut off, or "
    "pages zeroed.",
    p0=True,
    bound_s=240,
    quick_bound_s=60,
)
def damaged(scale: Scale) -> Figures:
    rng = random.Random(11)
    figures = Figures()
    seen = {"refused": 0, "used": 0, "other errors": 0, "changed though refused": 0, "not named": 0}
    slowest_s = 0.0
    with a_folder() as folder:
        good = made(folder / "good.db", requests=150).read_bytes()
        for number in range(scale(1_000, 40)):
            path = folder / f"{number}.db"
            path.write_bytes(_changed(good, rng))
            slowest_s = max(slowest_s, _opened(path, seen))
            for one in folder.glob(f"{number}.db*"):
                one.unlink()
        for content in (b"Dear diary", b"", good):
            path = folder / "other.db"
            path.write_bytes(content)
            if content == b"":
                with closing(sqlite3.connect(path)) as other:
                    other.execute("CREATE TABLE diary (day TEXT)")
                    other.commit()
            if content == good:
                with closing(sqlite3.connect(path)) as other:
                    other.execute("INSERT INTO router_migrations VALUES (99, 'to come', 0)")
                    other.commit()
            before = path.read_bytes()
            try:
                open_store(path).close()
                seen["other errors"] += 1
            except StoreCorruptError as error:
                seen["not named"] += str(path) not in str(error)
            seen["changed though refused"] += path.read_bytes() != before
            repaired = open_store(path, repair="rename")
            request(repaired)
            seen["other errors"] += repaired.add_feedback(said(1.0))[0].status != "new"
            repaired.close()
        aside = sorted(folder.glob("other.db.broken-?"))
        figures.exactly("put aside when asked to", len(aside), 3)
    figures.none("errors of another kind", seen["other errors"])
    figures.none("refused without a name", seen["not named"])
    figures.none("changed though refused", seen["changed though refused"])
    figures.at_most("slowest", slowest_s, 1, "s")
    figures.tell("refused", seen["refused"])
    figures.tell("could be used", seen["used"])
    return figures


# --- parts -------------------------------------------------------------------------------------------


def _changed(good: bytes, rng: random.Random) -> bytes:
    """Return the bytes of a store, damaged."""
    data = bytearray(good)
    kind = rng.randrange(5)
    if kind == 0:
        return bytes(data[: rng.randrange(1, len(data))])
    if kind == 1:
        page = rng.randrange(len(data) // 4_096) * 4_096
        data[page : page + 4_096] = bytes(4_096)
    elif kind == 2:  # what says how the file is made up
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(100)] = rng.randrange(256)
    else:
        first_page_only = kind == 3
        for _ in range(rng.randrange(1, 40)):
            data[rng.randrange(4_096 if first_page_only else len(data))] = rng.randrange(256)
    return bytes(data)


def _opened(path: Path, seen: dict[str, int]) -> float:
    """Open a file and use it, as far as it lets itself be used; return how long that took."""
    before = path.read_bytes()
    started_s = time.monotonic()
    try:
        store = open_store(path)
    except StoreCorruptError as error:
        seen["refused"] += 1
        seen["not named"] += str(path) not in str(error)
        took_s = time.monotonic() - started_s
        seen["changed though refused"] += path.read_bytes() != before
        return took_s
    except Exception:  # noqa: BLE001 - counted
        seen["other errors"] += 1
        return time.monotonic() - started_s
    try:
        store.lessons()
        request(store, "new")
        store.add_feedback(said(1.0, "d1"))
        seen["used"] += 1
    except StoreError:
        seen["refused"] += 1
    except Exception:  # noqa: BLE001 - counted
        seen["other errors"] += 1
    store.close(0.1)
    return time.monotonic() - started_s
