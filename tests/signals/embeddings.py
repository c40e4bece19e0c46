"""Embeddings that need no model: counts of letters, the same on every machine."""

from __future__ import annotations

from collections.abc import Callable

from langchain_core.embeddings import Embeddings


class LetterEmbeddings(Embeddings):
    """Embeds a text as how often each letter stands in it; `before` runs at each call."""

    def __init__(self, before: Callable[[], None] = lambda: None, size: int = 26) -> None:
        self.before, self.size = before, size
        self.queries: list[str] = []
        self.awaited = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self._counted(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self.queries.append(text)
        self.before()
        return self._counted(text)

    async def aembed_query(self, text: str) -> list[float]:
        self.awaited += 1
        self.before()
        return self._counted(text)

    def _counted(self, text: str) -> list[float]:
        return [float(text.lower().count(chr(97 + i))) for i in range(self.size)]
