"""The classifier on an embedding model, with embeddings that count letters."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest
from langchain_core.messages import HumanMessage

from langchain_router.constraints import Constraints
from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.embedded_text import EmbeddedText
from langchain_router.request import RoutingRequest
from langchain_router.signals import INTENTS, Intent, IntentClassifier, KeywordIntentClassifier
from langchain_router.signals.embedding import MAX_PENDING, Embedder
from langchain_router.signals.embedding_intent import EmbeddingIntentClassifier, EmbeddingWeights
from tests.signals.embeddings import LetterEmbeddings

PROMPTS = [f"{'xyz ' * n}now" for n in range(1, 9)] + [f"{'pqr ' * n}now" for n in range(1, 9)]
KINDS: tuple[Intent, Intent] = ("extraction", "formatting")
LABELS = [kind for kind in KINDS for _ in range(8)]


def asked(text: str, **constraints: object) -> RoutingRequest:
    return RoutingRequest(messages=(HumanMessage(text),), constraints=Constraints(**constraints))  # type: ignore[arg-type]


def fitted(embeddings: LetterEmbeddings | None = None, **given: object) -> EmbeddingIntentClassifier:
    embedder = Embedder(embeddings or LetterEmbeddings(), name="letters", **given)  # type: ignore[arg-type]
    return EmbeddingIntentClassifier(embedder).fit(PROMPTS, LABELS)


def test_it_tells_what_it_was_fitted_on_and_its_probabilities_sum_to_one() -> None:
    classifier = fitted()
    assert isinstance(classifier, IntentClassifier)
    for text, label in (("xyz xyz please", "extraction"), ("pqr pqr pqr ok", "formatting")):
        said = classifier.classify(asked(text))
        assert (said.label, said.source) == (label, "embedding")
        assert sum(said.probabilities.values()) == pytest.approx(1)
        assert set(said.probabilities) == set(INTENTS)


async def test_the_async_twin_says_the_same_through_aembed_query() -> None:
    embeddings = LetterEmbeddings()
    classifier = fitted(embeddings)
    alone = classifier.classify(asked("xyz and a pqr"))
    awaited = await classifier.aclassify(asked("xyz and a pqr"))
    assert awaited == alone
    assert (len(embeddings.queries), embeddings.awaited) == (1, 1)


def test_before_it_is_fitted_the_keywords_answer_and_it_says_why() -> None:
    request = asked("Translate this into French.")
    said = EmbeddingIntentClassifier(Embedder(LetterEmbeddings(), name="letters")).classify(request)
    assert said.probabilities == KeywordIntentClassifier().classify(request).probabilities
    assert said.evidence[0] == "embedding:not_fitted"


async def test_what_the_embeddings_raise_leaves_the_decision_to_the_keywords() -> None:
    def broken() -> None:
        raise ConnectionError("secret-key refused")

    classifier = fitted(LetterEmbeddings(broken))
    for said in (classifier.classify(asked("hello")), await classifier.aclassify(asked("hello"))):
        assert said.source == "keywords"
        assert said.evidence[0] == "embedding:error:ConnectionError"


def test_an_embedding_that_never_comes_is_given_up_on() -> None:
    release = threading.Event()

    def waits() -> None:
        release.wait(5)

    classifier = fitted(LetterEmbeddings(waits), timeout_s=0.01)
    try:
        first = classifier.classify(asked("hello"))
        assert first.evidence[0] == "embedding:timeout"
        for i in range(MAX_PENDING):
            last = classifier.classify(asked(f"hello {i}"))
        assert last.evidence[0] == "embedding:busy"
    finally:
        release.set()


async def test_cancelling_the_async_twin_is_not_swallowed() -> None:
    class Never(LetterEmbeddings):
        async def aembed_query(self, text: str) -> list[float]:
            await asyncio.Event().wait()
            return []

    waiting = asyncio.ensure_future(fitted(Never()).aclassify(asked("hello")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_request_that_may_not_leave_is_not_embedded() -> None:
    embeddings = LetterEmbeddings()
    classifier = fitted(embeddings, region="us")
    for said in (
        classifier.classify(asked("xyz", regions={"eu"})),
        await classifier.aclassify(asked("xyz", regions={"eu"})),
    ):
        assert said.evidence[0] == "embedding:not_allowed"
    assert not embeddings.queries
    assert not embeddings.awaited
    assert classifier.classify(asked("xyz", regions={"us"})).source == "embedding"


def test_a_model_that_gives_something_else_than_it_was_fitted_on_is_not_believed() -> None:
    embeddings = LetterEmbeddings()
    classifier = fitted(embeddings)
    embeddings.size = 3
    assert classifier.classify(asked("abc")).evidence[0] == "embedding:malformed"
    embeddings.size = 0
    assert classifier.classify(asked("abd")).evidence[0] == "embedding:malformed"


def test_no_more_than_the_window_of_a_long_prompt_is_embedded() -> None:
    embeddings = LetterEmbeddings()
    fitted(embeddings).classify(asked("xyz " * 100_000))
    assert len(embeddings.queries[0]) <= 2_701


def test_fitted_weights_are_saved_and_read_for_the_same_model_only(tmp_path: Path) -> None:
    classifier = fitted()
    classifier.save(tmp_path / "w.npz")
    weights = EmbeddingWeights.load(tmp_path / "w.npz")
    again = EmbeddingIntentClassifier(Embedder(LetterEmbeddings(), name="letters"), weights=weights)
    assert again.classify(asked("xyz")) == classifier.classify(asked("xyz"))
    with pytest.raises(ConfigurationError, match="fitted on 'letters', not on 'words'"):
        EmbeddingIntentClassifier(Embedder(LetterEmbeddings(), name="words"), weights=weights)
    (tmp_path / "w.npz").write_bytes(b"PK not a file")
    with pytest.raises(ConfigurationError, match="no weights of this classifier"):
        EmbeddingWeights.load(tmp_path / "w.npz")


@pytest.mark.parametrize(
    ("prompts", "labels", "message"),
    [
        (["a"], [], "one label"),
        ([], [], "1 to 10000"),
        (["a", "b"], ["poem", "poem"], "'poem' is not an intent"),
        (["a"], ["translation"], "at least two"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    prompts: list[str], labels: list[Intent], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        EmbeddingIntentClassifier(Embedder(LetterEmbeddings(), name="letters")).fit(prompts, labels)


def test_the_feature_map_gives_small_whole_numbers_that_tell_texts_apart() -> None:
    mapped = EmbeddedText(Embedder(LetterEmbeddings(), name="letters"), dimensions=16)
    one, near, far = (np.array(mapped.features(asked(text))) for text in ("xyz xyz", "xyz xyy", "pqr ab"))
    assert len(one) == mapped.size == 16
    assert np.abs(one).max() <= 127
    assert one.dtype.kind == "i"
    assert one @ near > 2 * abs(one @ far)
    assert (
        mapped.fingerprint
        != EmbeddedText(Embedder(LetterEmbeddings(), name="other"), dimensions=16).fingerprint
    )


def test_classifier_and_feature_map_share_one_embedding_of_a_request() -> None:
    embeddings = LetterEmbeddings()
    embedder = Embedder(embeddings, name="letters")
    request = asked("xyz")
    EmbeddingIntentClassifier(embedder).fit(PROMPTS, LABELS).classify(request)
    EmbeddedText(embedder).features(request)
    assert len(embeddings.queries) == 1


def test_the_feature_map_gives_zeros_where_no_embedding_comes() -> None:
    mapped = EmbeddedText(Embedder(LetterEmbeddings(), name="letters", region="us"), dimensions=4)
    assert mapped.features(asked("xyz", regions={"eu"})) == (0, 0, 0, 0)


@pytest.mark.parametrize("timeout_s", [0, -1, float("inf"), "2", True])
def test_an_embedder_refuses_a_deadline_that_is_none(timeout_s: object) -> None:
    with pytest.raises(ConfigurationError, match="timeout_s must be above 0"):
        Embedder(LetterEmbeddings(), name="letters", timeout_s=timeout_s)  # type: ignore[arg-type]
