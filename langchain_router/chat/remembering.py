"""The half of `ChatRouter` that remembers: feedback on answers, and what was learned from it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr

from langchain_router.chat.runs import RoutedRuns
from langchain_router.exceptions import ConfigurationError, StoreError
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.incoming import Imported, decision_id_of, import_feedback
from langchain_router.outcomes.learning import Learning
from langchain_router.outcomes.store import OutcomeStore, default_url, open_store
from langchain_router.wording import kind_of

if TYPE_CHECKING:
    from langchain_router.outcomes.hooks.callbacks import RoutingCallbackHandler
    from langchain_router.outcomes.judgements import Receipt

_logger = logging.getLogger("langchain_router")


class Remembering(RoutedRuns):
    """Takes feedback on what the router has answered, from any process and at any time."""

    _hooks: Any = PrivateAttr(default=None)

    def record_feedback(
        self,
        about: Any,
        score: float,
        *,
        key: str = "user",
        source: str = "app",
        weight: float = 1.0,
        comment: str | None = None,
    ) -> Receipt:
        """Say how good an answer was; returns when that is committed, and the router has learned from it.

        Args:
            about: The answer, the id of its decision, or the id of the LangChain run that it came from.
            score: 0..1.
            key: What was judged: `"user"` for the answer as a whole, or a name of your own.
            source: Who says so; a second one of the same source and key takes the place of the first. Give
                your users' ids, so that none of them outweighs the others.
            weight: How much it counts, 0..1.
            comment: In words; stored as it is.

        Raises:
            ConfigurationError: A value is out of range, or `about` is nothing that a router answered.
            StoreError: It could not be stored; nothing was learned from it.
        """
        feedback = self._feedback(about, score, key=key, source=source, weight=weight, comment=comment)
        receipt = self._store.add_feedback(feedback)[0]
        self._learning.catch_up()
        return receipt

    async def arecord_feedback(
        self,
        about: Any,
        score: float,
        *,
        key: str = "user",
        source: str = "app",
        weight: float = 1.0,
        comment: str | None = None,
    ) -> Receipt:
        """Say how good an answer was, as `record_feedback` does."""
        feedback = self._feedback(about, score, key=key, source=source, weight=weight, comment=comment)
        receipt = (await self._store.aadd_feedback(feedback))[0]
        await asyncio.to_thread(self._learning.catch_up)
        return receipt

    def import_feedback(self, source: str | Path | Iterable[Mapping[str, Any]]) -> Imported:
        """Take in much feedback at once, from a file or from rows; a bad line is reported and loses nothing.

        Args:
            source: A JSONL or CSV file, or mappings, with the fields of `Feedback`.

        Raises:
            ConfigurationError: The file cannot be read.
            StoreError: It could not be stored.
        """
        imported = import_feedback(self._store, source)
        self._learning.catch_up()
        return imported

    def forget_feedback(self, source: str) -> int:
        """Take back all that one source has said, and what was learned from it; return how much that was.

        Args:
            source: As `record_feedback` was told.

        Raises:
            ConfigurationError: `source` is no text.
            StoreError: It could not be stored.
        """
        if not isinstance(source, str):
            raise ConfigurationError(f"source must be a text, got {kind_of(source)}.")
        count = self._store.forget_source(source)
        self._learning.catch_up()
        return count

    def relearn(self) -> int:
        """Forget what was learned and read the whole log anew; return how many lessons that were.

        What is believed afterwards is the same, unless something was wrong before.
        """
        return self._learning.relearn()

    def flush(self, timeout_s: float = 2.0) -> int:
        """Wait until what happened so far is stored; return how many rows are still waiting.

        Args:
            timeout_s: Longest wait, in seconds.
        """
        if self._hooks is not None:
            self._hooks.flush()
        left = self._store.flush(timeout_s)
        if not left:
            self._learning.catch_up()
            self._learning.save()
        return left

    @property
    def _store(self) -> OutcomeStore:
        found = self.core.store
        assert found is not None  # noqa: S101 - a chat router always has one, if only in memory
        return found

    @property
    def _learning(self) -> Learning:
        found = self.core.learning
        assert found is not None  # noqa: S101 - it comes with the store
        return found

    def _feedback(self, about: Any, score: float, **more: Any) -> Feedback:
        return Feedback(decision_id=decision_id_of(about), score=score, **more)


def heard_everywhere(store: OutcomeStore) -> RoutingCallbackHandler | None:
    """Return what hears every trace of this process for a store that lasts; None where it does not last.

    `LANGCHAIN_ROUTER_HOOKS=none` switches it off.
    """
    if store.url == "memory" or os.environ.get("LANGCHAIN_ROUTER_HOOKS", "").lower() == "none":
        return None
    from langchain_router.outcomes.hooks.everywhere import hear_everywhere

    return hear_everywhere(store)


def opened(given: Any) -> OutcomeStore:
    """Return the store that a user gave, named or left out.

    Args:
        given: A store, a URL, a path, None for memory only, or `"default"`: the file in the user's data
            directory, or what `LANGCHAIN_ROUTER_STORE` says. A default file that cannot be used is warned of,
            and memory is used.

    Raises:
        ConfigurationError: It is none of these.
        StoreError: It cannot be used.
    """
    if given != "default":
        return open_store(given)
    named = os.environ.get("LANGCHAIN_ROUTER_STORE", "")
    if named.lower() == "none":
        return open_store(None)
    if named:
        return open_store(named)
    try:
        return open_store(default_url())
    except (StoreError, ConfigurationError, OSError) as error:
        _logger.warning(
            "nothing will be remembered: %s Give store=None to do without, or a URL of your own.", error
        )
        return open_store(None)
