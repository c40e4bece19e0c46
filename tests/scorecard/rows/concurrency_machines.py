"""State machines: no order of events breaks a breaker, a budget, a limit or the gates."""

from __future__ import annotations

import importlib
import inspect
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

from tests.scorecard.row import Figures, Scale, row

_ROOT = Path(__file__).parents[3]


@row(
    "C6",
    "Breaker, budget, limit and gates in any order of events: hypothesis state machines of the test suite",
    "No counter-example in 10,000 steps of each machine (quick: 300).",
    bound_s=150,
    quick_bound_s=30,
)
def no_order_of_events_breaks_an_invariant(scale: Scale) -> Figures:
    wanted, machines = scale(10_000, 300), _machines()
    figures, broken = Figures(), Counter[str]()
    for machine in machines:
        steps = 0

        class Counted(machine):  # type: ignore[misc,valid-type]
            @invariant()
            def count(self) -> None:
                nonlocal steps
                steps += 1

        Counted.__qualname__ = Counted.__name__ = machine.__name__
        while steps < wanted and not broken[machine.__name__]:
            try:
                run_state_machine_as_test(Counted, settings=_settings(scale(100, 5)))
            except AssertionError:
                broken[machine.__name__] += 1
        figures.at_least(f"steps of {machine.__name__}", steps, wanted)
    figures.none(f"counter-examples{_named(broken)}", broken.total())
    figures.at_least("machines", len(machines), 2)
    return figures


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def _machines() -> list[type[RuleBasedStateMachine]]:
    """Return every state machine in the tests of the execution room."""
    found: dict[str, type[RuleBasedStateMachine]] = {}
    for path in sorted((_ROOT / "tests" / "execution").glob("test_*.py")):
        if "RuleBasedStateMachine" not in path.read_text(encoding="utf-8"):
            continue
        module = importlib.import_module(f"tests.execution.{path.stem}")
        found |= {
            name: one
            for name, one in inspect.getmembers(module, inspect.isclass)
            if issubclass(one, RuleBasedStateMachine) and one.__module__ == module.__name__
        }
    return list(found.values())


def _named(counted: Counter[str]) -> str:
    found = [name for name, count in counted.items() if count]
    return f" ({', '.join(found)})" if found else ""
