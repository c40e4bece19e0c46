"""What all candidates can do: the profile that the router shows to LangChain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langchain_core.language_models.model_profile import ModelProfile

from langchain_router.candidates.candidate import Candidate


def shared_profile(candidates: Sequence[Candidate]) -> ModelProfile:
    """Return the intersection of the candidates' profiles.

    An ability is there when every candidate has it, a limit is the smallest, and a limit that some
    candidate does not state is left out. Agents read it: `create_agent` uses native structured output
    only where the profile has it, summarisation triggers on `max_input_tokens`.
    """
    profile = ModelProfile(text_inputs=True, text_outputs=True)
    context, answer = (
        _least(c.context_tokens for c in candidates),
        _least(c.max_output_tokens for c in candidates),
    )
    if context is not None:
        profile["max_input_tokens"] = context
    if answer is not None:
        profile["max_output_tokens"] = answer

    def all_have(ability: str) -> bool:
        return all(ability in (candidate.capabilities or ()) for candidate in candidates)

    profile["tool_calling"] = all_have("tool_calling")
    profile["structured_output"] = all_have("structured_output")
    profile["image_inputs"] = profile["image_url_inputs"] = all_have("image_inputs")
    profile["pdf_inputs"] = all_have("pdf_inputs")
    profile["audio_inputs"] = all_have("audio_inputs")
    profile["video_inputs"] = all_have("video_inputs")
    return profile


def _least(limits: Iterable[int | None]) -> int | None:
    known = list(limits)
    return None if None in known else min((limit for limit in known if limit is not None), default=None)
