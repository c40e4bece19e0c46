"""Where known data sets come from, for the page of figures: their licences, and what to bear in mind."""

from __future__ import annotations

from typing import Final

_ROUTERBENCH: Final = "RouterBench as mirrored by RouterDC, which states no licence; costs from the bill"
_GB: Final = "neulab/gemini-benchmark, which states no licence"
_ZEROEVAL: Final = "WildEval/ZeroEval, Apache-2.0; scored anew by its own rules"

_SOURCES: Final = {
    "routerbench_mbpp": _ROUTERBENCH,
    "routerbench_arc_challenge": _ROUTERBENCH,
    "routerbench_winogrande": _ROUTERBENCH,
    "alpacaeval": "AlpacaEval 1, data CC-BY-NC-4.0; a judge's preferences, with its liking for length",
    "zeroeval_gsm": f"{_ZEROEVAL}; shares questions with routellm_gsm8k and conduit_gsm8k",
    "zeroeval_crux": _ZEROEVAL,
    "gb_humaneval": _GB,
    "gb_svamp": _GB,
    "gb_mawpsmultiarith": _GB,
    "gb_flores": f"{_GB}; chrF of sentences; one model's answers were blocked for many languages",
    "rgym_easy": "open-thought/reasoning-gym-eval, Apache-2.0; costs of models with hidden reasoning too low",
    "routellm_gsm8k": "lm-sys/RouteLLM, Apache-2.0; shares questions with zeroeval_gsm and conduit_gsm8k",
    "routellm_mmlu": "lm-sys/RouteLLM, Apache-2.0; right or wrong alone, no answers",
    "routellm_mtbench": "lm-sys/RouteLLM, Apache-2.0; a judge's marks; very small",
    "routerarena": "RouteWorks/RouterArena, Apache-2.0; two models; costs from the bill",
    "routerarena_robust": "RouteWorks/RouterArena, Apache-2.0; sparse: only models that routers picked",
    "conduit_gsm8k": "ashita-ai/conduit-benchmark, no licence stated; logged choices of bandits; very small",
}


def source_of(suite: str) -> str:
    """Return where a suite comes from; empty where that is not known.

    Example:
        >>> source_of("routellm_mmlu")
        'lm-sys/RouteLLM, Apache-2.0; right or wrong alone, no answers'
        >>> source_of("my_own")
        ''
    """
    return "; ".join(dict.fromkeys(filter(None, map(_SOURCES.get, suite.split("+")))))
