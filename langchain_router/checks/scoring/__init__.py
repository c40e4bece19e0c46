"""A scorer for `LearnedCheck`, fitted on answers whose worth is known."""

from langchain_router.checks.scoring.answered import Answered, examples_from_replay
from langchain_router.checks.scoring.features import FeatureCache, Features, features_of
from langchain_router.checks.scoring.fitted import FittedScorer
from langchain_router.checks.scoring.fitting import fit_scorer
from langchain_router.checks.scoring.logged import examples_from_store

__all__ = [
    "Answered",
    "FeatureCache",
    "Features",
    "FittedScorer",
    "examples_from_replay",
    "examples_from_store",
    "features_of",
    "fit_scorer",
]
