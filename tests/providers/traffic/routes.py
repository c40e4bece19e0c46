"""How LiteLLM is told to go where a recording went, or why it does not go there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.providers.traffic.recordings import Json, Pair

CHAT, RESPONSES, ANTHROPIC, GEMINI = "chat completions", "responses", "anthropic messages", "gemini"
COHERE, TEXT = "cohere chat", "text completions"

_OPENAI_COMPATIBLE = {
    "api.openai.com": "openai",
    "generativelanguage.googleapis.com": "openai",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "api.cerebras.ai": "cerebras",
    "openrouter.ai": "openrouter",
}

_OTHER_ENDPOINTS = (
    (r"/responses/compact$", "OpenAI's compaction: no chat call"),
    (r"/responses/input_tokens$|/count_tokens$|:countTokens$", "counts tokens: no chat call"),
    (r"/responses/[^/]+$", "fetches a response kept at OpenAI: no chat call"),
    (r"/(conversations|assistants|threads)\b", "OpenAI's conversations and assistants: no chat call"),
    (r"/token$", "fetches a Google access token: no chat call"),
)


@dataclass(frozen=True, kw_only=True)
class Route:
    """How LiteLLM is told to go where the recording went."""

    wire: str
    model: str
    path: str
    api_base: str
    options: Json = field(default_factory=dict)


def route(pair: Pair) -> Route | str:
    """Say how LiteLLM gets there, or why it does not."""
    url = urlsplit(pair.url)
    host, path = url.netloc, url.path
    for pattern, reason in _OTHER_ENDPOINTS:
        if re.search(pattern, path):
            return reason
    if not isinstance(pair.request, dict):
        return "neither address nor request body was recorded"
    if not host:
        wire_path = _unredacted(pair)
        if wire_path is None:
            return "neither address nor request body was recorded"
        host = "api.anthropic.com" if pair.provider == "anthropic" else "api.openai.com"
        path = wire_path
    return _unservable(pair) or _served_route(pair, host, path)


def _unredacted(pair: Pair) -> str | None:
    """Tell the endpoint from the body, for recordings whose address was blanked."""
    if "input" in pair.request:
        return "/v1/responses"
    if "messages" in pair.request:
        return "/v1/messages" if pair.provider == "anthropic" else "/v1/chat/completions"
    return None


def _unservable(pair: Pair) -> str | None:
    if "enum-encoding" in pair.url and pair.status < 300:
        return "Vertex AI asked for enums as numbers, which LiteLLM never does"
    if (
        pair.status < 300
        and not pair.stream
        and json.loads(pair.body).get("status") in {"queued", "in_progress"}
    ):
        return "accepted by OpenAI to be answered in the background: no answer in the response"
    if pair.stream and "openrouter.ai" in pair.url and pair.url.endswith("/responses"):
        return "LiteLLM asks OpenRouter's Responses endpoint for whole answers only; this one is streamed"
    return None


def _served_route(pair: Pair, host: str, path: str) -> Route | str:
    model = pair.request.get("model", "")
    if path.endswith("/v1/messages"):
        base = path.removesuffix("/v1/messages")
        return Route(wire=ANTHROPIC, model=f"anthropic/{model}", path=path, api_base=base)
    # Vertex AI too: LiteLLM's own way there asks google-auth for a token, which is not installed.
    if found := re.fullmatch(r"(.*)/models/([^/:]+):(generateContent|streamGenerateContent)", path):
        return Route(wire=GEMINI, model=f"gemini/{found[2]}", path=path, api_base=found[1])
    if path == "/v2/chat":
        return Route(wire=COHERE, model=f"cohere_chat/{model}", path=path, api_base=path)
    if host.endswith("openai.azure.com"):
        version = parse_qs(urlsplit(pair.url).query).get("api-version", ["preview"])[0]
        options = {"api_version": version}
        if path.endswith("/responses"):
            return Route(wire=RESPONSES, model=f"azure/{model}", path=path, api_base="", options=options)
        deployment = path.partition("/deployments/")[2].partition("/")[0]
        return Route(wire=CHAT, model=f"azure/{deployment}", path=path, api_base="", options=options)
    provider = _OPENAI_COMPATIBLE[host]
    for suffix, wire in (("/chat/completions", CHAT), ("/responses", RESPONSES)):
        if path.endswith(suffix):
            base = path.removesuffix(suffix)
            return Route(wire=wire, model=f"{provider}/{model}", path=path, api_base=base)
    base = path.removesuffix("/completions")
    return Route(wire=TEXT, model=f"text-completion-openai/{model}", path=path, api_base=base)
