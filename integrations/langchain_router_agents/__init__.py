"""Routes every step of a LangChain agent: `create_agent(..., middleware=[RouterMiddleware(router)])`."""

from __future__ import annotations

try:
    from langchain_router_agents.middleware import RouterMiddleware
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"langchain", "langgraph"}:
        raise
    raise ModuleNotFoundError(
        f"langchain_router_agents needs {error.name}, which is not installed. "
        "Write: pip install 'langchain-llm-router[agents]'",
        name=error.name,
    ) from error

__all__ = ["RouterMiddleware"]
