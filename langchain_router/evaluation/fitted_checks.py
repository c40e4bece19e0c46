"""Checks that have to be fitted first, as contenders: on some rows, to be measured on others."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from langchain_router.checks.learned import LearnedCheck
from langchain_router.checks.scoring import FeatureCache, examples_from_replay, fit_scorer
from langchain_router.evaluation.bench import Contender
from langchain_router.evaluation.lineup import Lineup, rows_of, standings
from langchain_router.evaluation.recorded import recorded_candidate
from langchain_router.testing.replay import ReplayRow

FITTED_NAMES = ("learned", "learned & second")
"""What they are called: by the draft alone, and by the second answer too."""

_MOST_MODELS = 8


def fitted_contenders(
    rows: Sequence[ReplayRow], lineup: Lineup, *, reported: Sequence[ReplayRow]
) -> tuple[Contender, ...]:
    """Return `LearnedCheck` as fitted on these rows, alone and with a second answer to compare with.

    It is fitted on the answers of several models, the cheapest, as a log holds them: there are more of them
    than of the draft's alone, and what shows that an answer is wrong is much the same with all. It escalates
    the lowest scored, as large a share as drafts were wrong on the rows that it was fitted on: a threshold
    would have to be chosen on rows of its own.

    Args:
        rows: To fit on; those that share a prompt with a row that is reported on are left out.
        lineup: Who plays which part.
        reported: What is reported on.

    Returns:
        Both, or none where there is no row to fit on.
    """
    judged = {row.prompt for row in reported}
    fit_on = [row for row in rows_of(rows, lineup) if row.prompt not in judged]
    if not fit_on:
        return ()
    models = [one.model for one in standings(fit_on)][:_MOST_MODELS]
    cache = FeatureCache()

    def make(*seconds: str) -> LearnedCheck:
        drafts = [lineup.draft, *(model for model in models if model not in (lineup.draft, *seconds))]
        examples = [one for model in drafts for one in examples_from_replay(fit_on, model, seconds)]
        scorer = fit_scorer(examples, cache=cache).for_draft(lineup.draft)
        return LearnedCheck(scorer, seconds=[recorded_candidate(name) for name in seconds])

    alone, compared = FITTED_NAMES
    wrong = 1 - fmean(row.outcomes[lineup.draft].score for row in fit_on)
    return (
        Contender(name=alone, check=lambda _: make(), rate=wrong),
        Contender(name=compared, check=lambda _: make(lineup.second), rate=wrong),
    )
