"""The scorecard's rows that need no quiet machine, in small; `make scorecard` runs all of them, in full."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).with_name("run.py")

# Rows without a limit in time; a busy machine would fail the others here, so `make scorecard` measures them.
UNTIMED = [
    "U6",
    "U7",
    "U8",
    "U10",
    "U11",
    "U12",
    "I3",
    "I4",
    "I5",
    "S3",
    "S4",
    "S5",
    "S6",
    "S7",
    "X2",
    "X3",
    "X4",
]


def test_the_rows_that_need_no_quiet_machine_pass_in_small(tmp_path: Path) -> None:
    written = tmp_path / "scorecard.json"
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(RUN), "--quick", "--json", str(written), "--only", *UNTIMED],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(written.read_text(encoding="utf-8"))["rows"]
    assert sorted(row["id"] for row in rows) == sorted(UNTIMED)


def test_a_row_that_does_not_exist_is_named() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(RUN), "--only", "U99"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "No row 'U99'; there are U1, U2" in done.stderr
