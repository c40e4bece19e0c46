"""What is stored of a request: that it was asked, how long it was, and no word of it."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from langchain_router.outcomes.redaction import Redactor
from langchain_router.request import RoutingRequest, texts

_logger = logging.getLogger("langchain_router")

_MOST_CHARS: Final = 65_536
"""Of a long prompt so many characters from either end are hashed, and kept where text is kept."""

_CUT: Final = "\n[...]\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What may be stored of a request.

    Attributes:
        prompt_hmac: Says whether two prompts were the same, to nobody but the owner of the store: a hash
            under a key that each store makes for itself. A plain hash of a short prompt can be guessed.
        prompt_chars: Characters of all messages.
        messages: How many messages.
        tools: How many tools were offered.
        step: Name of the chain or agent step that asked, if known.
        thread_hmac: The same as `prompt_hmac` for the conversation's id, if known.
        tenant: Whom its cost is counted for, as the caller said.
        captured: The text, redacted, where the user asked for it; else None.
    """

    prompt_hmac: str
    prompt_chars: int
    messages: int
    tools: int
    step: str | None = None
    thread_hmac: str | None = None
    tenant: str | None = None
    captured: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, request: RoutingRequest, *, key: bytes, capture: Redactor | None = None) -> Asked:
        """Return what may be stored of a request.

        The work is bounded: of a prompt longer than 131,072 characters the first and the last 65,536 are
        hashed, with its length; two that differ only in the middle have the same hash.

        Args:
            request: What was asked.
            key: The store's own, for the hashes.
            capture: Keeps the text, too, after this has taken out what may not be stored.
        """
        pieces = [(message.type, text) for message in request.messages for text in texts(message)]
        chars = sum(len(text) for _, text in pieces)
        return cls(
            prompt_hmac=_hmac(key, b"prompt", (str(chars), str(len(pieces)), *_ends(pieces, chars))),
            prompt_chars=chars,
            messages=len(request.messages),
            tools=len(request.tools),
            step=request.step,
            thread_hmac=None if request.thread_id is None else _hmac(key, b"thread", (request.thread_id,)),
            tenant=request.tenant,
            captured=None if capture is None else _captured(pieces, capture),
        )


def _hmac(key: bytes, what: bytes, texts: Iterable[str]) -> str:
    parts = [what]
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        parts += (len(data).to_bytes(8, "big"), data)
    return hmac.digest(key, b"".join(parts), "sha256").hex()


def _ends(pieces: list[tuple[str, str]], chars: int) -> Iterator[str]:
    """Yield who spoke and the text of all pieces, or of a long prompt's two ends."""
    if chars <= 2 * _MOST_CHARS:
        for piece in pieces:
            yield from piece
        return
    left = _MOST_CHARS
    for speaker, text in pieces:
        if left <= 0:
            break
        yield speaker
        yield text[:left]
        left -= len(text)
    left = _MOST_CHARS
    for speaker, text in reversed(pieces):
        if left <= 0:
            break
        yield speaker
        yield text[-left:]
        left -= len(text)


def _captured(pieces: list[tuple[str, str]], capture: Redactor) -> str | None:
    """Return the text, redacted; of a long one both ends, cut at a space to leave no half address."""
    text = "\n\n".join(f"{speaker}: {text}" for speaker, text in pieces)
    if len(text) > 2 * _MOST_CHARS:
        start, end = text[:_MOST_CHARS].rsplit(None, 1)[0], text[-_MOST_CHARS:].split(None, 1)[-1]
        text = f"{start}{_CUT}{end}"
    try:
        return capture(text)
    except Exception as error:  # noqa: BLE001 - without its text rather than not at all
        _logger.warning("capture raised %s; the text is not stored", type(error).__name__)
        return None
