"""What is stored of a request."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage

from langchain_router.outcomes.asked import Asked
from langchain_router.request import RoutingRequest


def of(*texts: str, key: bytes = b"key", **changes: object) -> Asked:
    return Asked.of(RoutingRequest(messages=tuple(map(HumanMessage, texts))), key=key, **changes)  # type: ignore[arg-type]


def test_the_hash_says_whether_two_prompts_were_the_same_and_only_to_who_has_the_key() -> None:
    assert of("hello").prompt_hmac == of("hello").prompt_hmac
    others = [of("hallo"), of("hello", key=b"other"), of("hel", "lo"), of(), of("hello", "")]
    assert len({one.prompt_hmac for one in [*others, of("hello")]}) == 6


def test_no_prompt_can_be_written_to_look_like_another() -> None:
    assert of("a", "humanb").prompt_hmac != of("ahuman", "b").prompt_hmac


def test_who_spoke_is_part_of_it() -> None:
    answer = Asked.of(RoutingRequest(messages=(AIMessage("hello"),)), key=b"key")
    assert answer.prompt_hmac != of("hello").prompt_hmac


def test_lengths_and_names_are_kept() -> None:
    request = RoutingRequest(
        messages=(HumanMessage("four"), HumanMessage([{"type": "text", "text": "more"}])),
        tools=({"type": "function"},),
        step="plan",
        thread_id="t1",
        tenant="acme",
    )
    asked = Asked.of(request, key=b"key")
    assert (asked.prompt_chars, asked.messages, asked.tools, asked.step, asked.tenant) == (
        8,
        2,
        1,
        "plan",
        "acme",
    )
    assert asked.thread_hmac is not None
    assert asked.captured is None
    assert "t1" not in repr(asked)


def test_of_a_long_prompt_both_ends_and_the_length_are_hashed() -> None:
    text = "a" * 300_000
    changed = {
        place: of(text[:place] + "b" + text[place + 1 :]).prompt_hmac for place in (0, 150_000, 299_999)
    }
    assert changed[150_000] == of(text).prompt_hmac
    assert len({of(text).prompt_hmac, of(text + "a").prompt_hmac, changed[0], changed[299_999]}) == 4
    assert of(text[:150_000], text[150_000:]).prompt_hmac != of(text).prompt_hmac


def test_half_characters_are_hashed_too() -> None:
    assert of("\ud800").prompt_hmac != of("\ud801").prompt_hmac


def test_text_is_kept_only_where_it_was_asked_for_and_redacted() -> None:
    kept = of("my name is Ann", "yes", capture=lambda text: text.replace("Ann", "[name]"))
    assert kept.captured == "human: my name is [name]\n\nhuman: yes"
    assert "my name" not in repr(kept)


def test_of_a_long_text_both_ends_are_kept() -> None:
    kept = of("start " + "word " * 60_000 + "end", capture=lambda text: text).captured
    assert kept is not None
    assert kept.startswith("human: start word")
    assert kept.endswith("word end")
    assert "word\n[...]\nword" in kept
    assert len(kept) <= 131_100
    assert len(of("x" * 300_000, capture=lambda text: text).captured or "") <= 131_100
