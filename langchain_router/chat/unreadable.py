"""Recognises a provider package stumbling over an answer that it cannot read.

A 200 with a web page, `choices: []` or half a JSON document makes LangChain's provider packages raise bare
`IndexError`, `TypeError` or `ValueError`. Another candidate may still serve the request. The same errors out
of the application's own code are bugs and must surface, so it is looked at where an error was raised: by the
package on the stack, never by the words of a message.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Final

from langchain_router.exceptions import MalformedResponseError
from langchain_router.execution.errors import ErrorKind, error_kind

_BARE: Final = (ValueError, TypeError, LookupError, AttributeError)
_UNSAID: Final = (ErrorKind.UNKNOWN, ErrorKind.MALFORMED)  # a bad certificate is a ValueError too
_NOT_SOMEBODYS: Final = frozenset(sys.stdlib_module_names) | {"pydantic", "pydantic_core"}
_CLIENTS: Final = frozenset(
    {"openai", "anthropic", "mistralai", "groq", "cohere", "google", "boto3", "botocore", "ollama"}
)
_NOT_A_PROVIDERS: Final = frozenset({"langchain_router", "langchain_core", "langchain_router_agents"})
_CORE: Final = "langchain_core.language_models.chat_models"


@contextlib.contextmanager
def unreadable(candidate: str) -> Iterator[None]:
    """Raise what a provider's package raises over an unreadable answer as `MalformedResponseError`.

    Args:
        candidate: Whose answer it is.
    """
    try:
        yield
    except _BARE as error:
        if error_kind(error) not in _UNSAID or not _is_providers(error):
            raise
        raise MalformedResponseError(
            f"{candidate!r} answered with something that its client cannot read ({type(error).__name__}). "
            "Look at what its endpoint sends: a proxy's page, perhaps."
        ) from error


def _is_providers(error: Exception) -> bool:
    """Return whether the innermost code that is somebody's is a provider's package or client."""
    module = _raised_in(error.__traceback__)
    root = module.partition(".")[0]
    if module == _CORE and isinstance(error, (ValueError, IndexError)):
        return True  # LangChain's own words for a stream without a chunk and a result without a choice
    return root in _CLIENTS or (root.startswith("langchain") and root not in _NOT_A_PROVIDERS)


def _raised_in(traceback: TracebackType | None) -> str:
    """Return the module of the innermost frame that is not the standard library's."""
    found = ""
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _NOT_SOMEBODYS:
            found = module
        traceback = traceback.tb_next
    return found
