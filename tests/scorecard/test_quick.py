"""The scorecard's rows that need no quiet machine, in small; `make scorecard` runs all of them, in full."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.scorecard.row import UNTIMED

RUN = Path(__file__).with_name("run.py")


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
    assert {row["id"] for row in rows} == UNTIMED


def test_a_row_that_does_not_exist_is_named() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(RUN), "--only", "U99"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "No row 'U99'; there are U1, U2" in done.stderr
