"""Real processes on one store, in either database: what each was told, all come to believe."""

from __future__ import annotations

import json
import subprocess
import sys

_PROCESS = """
import hashlib, json, sys, time
from langchain_router import Candidate, ChatRouter
from langchain_router.testing import FaultyChatModel

url, bad, judged, total = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
candidates = [
    Candidate(model=FaultyChatModel(answers=[name]), name=name, quality=quality)
    for name, quality in (("small", 0.7), ("large", 0.9))
]
router = ChatRouter(candidates=candidates, policy=sys.argv[5], store=url)
for _ in range(judged):
    answer = router.invoke("What is six times seven?")
    router.record_feedback(answer, score=float(answer.text != bad))
end = time.monotonic() + 30
while router.health()["learning"]["feedback"] < total and time.monotonic() < end:
    router.flush()  # reads what others have stored
    time.sleep(0.01)
learners = {"quality": router.core.quality, "policy": router.core.policy}
print(json.dumps({
    "feedback": router.health()["learning"]["feedback"],
    "beliefs": {
        name: hashlib.sha256(one.state()).hexdigest()
        for name, one in learners.items() if hasattr(one, "state")
    },
}))
"""


def _told(url: str, policy: str, *runs: tuple[str, int], total: int) -> list[dict[str, object]]:
    """Run processes at once; return what each believes in the end."""
    processes = [
        subprocess.Popen(  # noqa: S603 - the code is written above
            [sys.executable, "-c", _PROCESS, url, bad, str(judged), str(total), policy],
            stdout=subprocess.PIPE,
            text=True,
        )
        for bad, judged in runs
    ]
    told = [process.communicate(timeout=90)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [json.loads(one.splitlines()[-1]) for one in told]


def test_two_processes_and_one_that_starts_later_believe_the_same(url: str) -> None:
    first, second = _told(url, "thompson", ("small", 12), ("large", 9), total=21)
    (later,) = _told(url, "thompson", ("none", 0), total=21)
    assert first["feedback"] == 21
    assert first == second == later
    assert set(first["beliefs"]) == {"quality", "policy"}  # type: ignore[call-overload]
