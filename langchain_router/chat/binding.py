"""A router with arguments bound to it, such as tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableBinding, RunnableConfig
from langchain_core.runnables.config import merge_configs

from langchain_router.decision import RoutingDecision

if TYPE_CHECKING:
    from langchain_router.chat_model import ChatRouter


class RouterBinding(RunnableBinding[LanguageModelInput, AIMessage]):  # type: ignore[no-redef]
    """What `ChatRouter.bind` and `bind_tools` return.

    LangChain's own binding hands methods that it does not know on to the bare router, which would decide
    about a call without the tools, or drop them from a narrowed copy.
    """

    @classmethod
    def lc_id(cls) -> list[str]:
        """Serialise as LangChain's own binding."""
        return [*cls.get_lc_namespace(), "RunnableBinding"]

    def decide(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **options: Any
    ) -> RoutingDecision:
        """Decide as `ChatRouter.decide` does, about the call as it is bound."""
        return self._router.decide(input, merge_configs(self.config, config), **{**self.kwargs, **options})

    async def adecide(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **options: Any
    ) -> RoutingDecision:
        """Decide as `decide` does."""
        merged = merge_configs(self.config, config)
        return await self._router.adecide(input, merged, **{**self.kwargs, **options})

    def constrained(self, *args: Any, **constraints: Any) -> RouterBinding:
        """Return the same binding of a narrowed router; takes what `ChatRouter.constrained` takes."""
        narrowed = self._router.constrained(*args, **constraints)
        return type(self)(bound=narrowed, kwargs=self.kwargs, config=self.config)

    @property
    def _router(self) -> ChatRouter:
        return cast("ChatRouter", self.bound)
