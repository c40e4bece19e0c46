"""Exact tasks in five sizes each: what makes a task of one kind harder is how much of it there is.

The prompts that people wrote differ from each other in kind far more than in size, so a fit on them alone
learns nothing of size. These are made by rule and labelled by rule: the larger of two tasks of a kind is the
harder one. They teach the complexity scorer, not the intent classifier.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

SIZES: Final = (1, 2, 3, 4, 5)
EACH: Final = 20
"""Prompts of each kind and size."""

_NAMES: Final = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "June", "Karl", "Lena"]
_THINGS: Final = ["plums", "pens", "tickets", "tiles", "stamps", "cups", "bricks", "shells"]
_WORDS: Final = [
    "river",
    "stone",
    "amber",
    "violet",
    "candle",
    "meadow",
    "harbour",
    "lantern",
    "orchard",
    "thimble",
    "walnut",
    "saddle",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A task made by rule.

    Attributes:
        kind: Which rule.
        size: 1 to 5; only tasks of one kind are compared by it.
        prompt: The text.
    """

    kind: str
    size: int
    prompt: str


def graded(seed: int = 0) -> Iterator[Graded]:
    """Yield every task; equal seeds give equal tasks."""
    for kind, make in _KINDS.items():
        for size in SIZES:
            for number in range(EACH):
                yield Graded(
                    kind=kind, size=size, prompt=make(random.Random(f"{seed} {kind} {size} {number}"), size)
                )


def _sum(rng: random.Random, size: int) -> str:
    numbers = [rng.randint(10 ** (size // 2), 10 ** (1 + size // 2) * 9) for _ in range(1 + size)]
    signs = rng.choices("+-" if size < 3 else "+-*", k=size)
    shown = str(numbers[0]) + "".join(f" {sign} {n}" for sign, n in zip(signs, numbers[1:], strict=True))
    return rng.choice(("What is {}?", "Calculate {}.", "Work out the value of {}")).format(shown)


def _story(rng: random.Random, size: int) -> str:
    who, thing = rng.choice(_NAMES), rng.choice(_THINGS)
    steps = [
        lambda: f"{who} buys {rng.randint(3, 90)} more.",
        lambda: f"{who} gives {rng.choice(_NAMES)} a third of what is left.",
        lambda: f"Each of {rng.randint(2, 9)} friends brings {rng.randint(2, 30)} {thing}.",
        lambda: f"{rng.randint(5, 40)}% of them turn out to be broken and are thrown away.",
        lambda: f"The number doubles every {rng.randint(2, 6)} days for {rng.randint(12, 30)} days.",
        lambda: f"Half of the rest is sold at ${rng.randint(1, 9)}.{rng.randint(10, 95)} each.",
    ]
    told = " ".join(rng.choice(steps)() for _ in range(2 * size - 1))
    return f"{who} has {rng.randint(20, 400)} {thing}. {told} How many {thing} does {who} have now?"


def _trace(rng: random.Random, size: int) -> str:
    values = [rng.randint(0, 9) for _ in range(2 + 2 * size)]
    lines = ["def f(xs):", "    out = []"]
    for _ in range(size):
        k = rng.randint(2, 5)
        lines += rng.choice(
            (
                [f"    xs = xs[{k - 2}:] + xs[:{k - 2}]"],
                [
                    "    for i, x in enumerate(xs):",
                    f"        if x % {k} == 0:",
                    "            out.append(x * i)",
                ],
                [f"    while len(out) > {k}:", "        out.pop(0)"],
                [f"    xs = sorted(set(xs), key=lambda x: (x % {k}, -x))"],
                [f"    out = [a + b for a, b in zip(out, xs[{k - 1}:])] or xs"],
            )
        )
    lines += ["    return out + xs", "", f"print(f({values}))"]
    code = "\n".join(lines)
    return rng.choice(
        ("What does this program print?\n\n{}", "{}\n\nGive the output.", "Predict the output:\n{}")
    ).format(code)


def _edit(rng: random.Random, size: int) -> str:
    text = " ".join(rng.sample(_WORDS, 1 + 2 * size))
    steps = rng.choices(
        (
            "reverse the order of the words",
            "remove every second letter",
            "swap the first and the last word",
            "write each vowel as the next vowel in the alphabet",
            "count the letters that occur more than once and append that number",
            "sort the words by their last letter",
        ),
        k=size,
    )
    return f'Take "{text}" and ' + ", then ".join(steps) + ". What do you get?"


def _order(rng: random.Random, size: int) -> str:
    people = rng.sample(_NAMES, 2 + size)
    rules = (
        "{} is taller than {}.",
        "{} is neither next to {} nor at an end.",
        "Exactly two people stand between {} and {}.",
        "If {} stands left of the middle, then so does {}.",
    )
    told = " ".join(
        rules[min(i, 3) if size > 2 else 0].format(*rng.sample(people, 2)) for i in range(1 + size)
    )
    where = "first" if size < 3 else "in each place"
    return f"{', '.join(people)} stand in a row. {told} Who can stand {where}?"


def _table(rng: random.Random, size: int) -> str:
    rows = "\n".join(
        f"{name}\t{rng.randint(1, 99)}\t{rng.randint(1, 99)}" for name in rng.sample(_NAMES, 2 * size + 1)
    )
    asks = (
        "Who has the largest first number?",
        "What is the sum of the second column?",
        "Which rows have a first number above the mean of the second column?",
        "Rank the rows by the product of both numbers and give the median row.",
        "Between which two rows is the correlation of neighbours' differences the largest, and why?",
    )
    return f"name\ta\tb\n{rows}\n\n{asks[size - 1]}"


_KINDS: Final[dict[str, Callable[[random.Random, int], str]]] = {
    "sum": _sum,
    "story": _story,
    "trace": _trace,
    "edit": _edit,
    "order": _order,
    "table": _table,
}
