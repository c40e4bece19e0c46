"""Where what comes out and the recordings differ, and who is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_core.exceptions import ModelError

from langchain_router.exceptions import MalformedResponseError, TruncatedResponseError


@dataclass(frozen=True, kw_only=True)
class Known:
    """A difference that stands, and must: when it goes, its entry goes.

    Attributes:
        why: Who is wrong, and how.
        pairs: In which recordings.
        fields: What comes out otherwise than recorded.
        raises: What is raised instead; with `fields` too, some LiteLLM versions do this and some that.
        not_always: Whether some of the versions that the project allows do it as recorded.
    """

    why: str
    pairs: tuple[str, ...]
    fields: frozenset[str] = frozenset()
    raises: type[ModelError] | None = None
    not_always: bool = False


_ANTHROPIC = "anthropic/test_anthropic/test_anthropic_"

_ALL = (
    Known(
        why="LiteLLM adds the tokens of Anthropic's advisor, another model, to those of the answer.",
        fields=frozenset({"input_tokens", "output_tokens"}),
        pairs=(
            f"{_ANTHROPIC}advisor_tool-0",
            f"{_ANTHROPIC}advisor_tool_message_replay-0",
            f"{_ANTHROPIC}advisor_tool_redacted-0",
            f"{_ANTHROPIC}advisor_tool_stream-0",
        ),
    ),
    Known(
        why="A custom tool's input is free text; ChatLiteLLM reads arguments as JSON and calls it invalid.",
        fields=frozenset({"tool_calls"}),
        pairs=("openai/test_codex_custom_tool-0", "openai/test_custom_tool-0", "openai/test_custom_tool-2"),
    ),
    Known(
        why="ChatLiteLLM calls a tool call with empty arguments, one without any, invalid.",
        fields=frozenset({"tool_calls"}),
        pairs=("openrouter/test_openrouter/test_openrouter_tool_optional_parameters-0",),
    ),
    Known(
        why="LiteLLM drops the arguments that Anthropic gives at once, at the start of a streamed call.",
        fields=frozenset({"tool_calls"}),
        pairs=("anthropic/test_programmatic_tool_use_streaming-0",),
    ),
    Known(
        why="LiteLLM's bridge drops `apply_patch` calls from streams, so nothing is left of the answer.",
        raises=MalformedResponseError,
        pairs=("openai/test_apply_patch-1",),
    ),
    Known(
        why="LiteLLM's bridge does not know an answer that is a client-side tool search only: before 1.110 it"
        " rejects it, since then it drops the call.",
        fields=frozenset({"tool_calls", "finish"}),
        raises=MalformedResponseError,
        pairs=("openai/test_client_executed_tool_search-0",),
    ),
    Known(
        why="The server says that 0 tokens went in and out, which cannot be: nothing is reported.",
        fields=frozenset({"input_tokens", "output_tokens"}),
        pairs=("openai/test_openai_responses/test_openai_responses_model_retry-0",),
    ),
    Known(
        why="The server says `stop` after a tool call; LiteLLM since 1.110 corrects that to `tool_calls`.",
        fields=frozenset({"finish"}),
        not_always=True,
        pairs=(
            "openai/test_streaming_tool_call_v1_v2_parity-0",
            "openai/test_streaming_tool_call_v1_v2_parity-1",
        ),
    ),
    Known(
        why="The server gives no finish reason, so nobody can say that the answer is whole.",
        raises=TruncatedResponseError,
        pairs=(
            "openai/test_tools_streaming/test_tools_streaming_variant_a-0",
            "openai/test_tools_streaming/test_tools_streaming_variant_b-0",
        ),
    ),
    Known(
        why="LiteLLM does not know Google's MODEL_ARMOR and lets a blocked answer finish with `stop`.",
        fields=frozenset({"finish"}),
        pairs=("google/test_google/test_google_model_armor_response_template_real_block-0",),
    ),
    Known(
        why="LiteLLM's Groq adapter fails on answers without `service_tier`, as Groq gave before it had any.",
        raises=MalformedResponseError,
        pairs=(
            "groq/test_groq/test_extra_headers-0",
            "groq/test_groq/test_groq_model_instructions-0",
            "groq/test_groq/test_groq_model_thinking_part-0",
            "groq/test_groq/test_groq_model_thinking_part-1",
        ),
    ),
    Known(
        why="LiteLLM before 1.110 knows no annotations but `url_citation` and rejects OpenRouter's `file`.",
        raises=MalformedResponseError,
        not_always=True,
        pairs=("openrouter/test_openrouter/test_openrouter_file_annotation-0",),
    ),
)

KNOWN = {pair: known for known in _ALL for pair in known.pairs}
