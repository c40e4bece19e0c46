"""What the text of an answer gives away, rule by rule."""
# ruff: noqa: RUF001 - the signs of other scripts are meant

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_router import ConfigurationError, RoutingRequest
from langchain_router.checks import HeuristicCheck, Verdict
from langchain_router.checks.check import beginning
from langchain_router.checks.text_rules.answer_text import said
from langchain_router.testing.scripted import ScriptedChatModel

CALL: Any = {"name": "search", "args": {"query": "spiders"}, "id": "1", "type": "tool_call"}
BROKEN_CALL: Any = {
    "name": "search",
    "args": '{"que',
    "id": "1",
    "error": "cut",
    "type": "invalid_tool_call",
}


def look(
    asked: str | list[BaseMessage],
    answer: str | AIMessage,
    check: HeuristicCheck | None = None,
    **request: Any,
) -> Verdict:
    messages = [HumanMessage(asked)] if isinstance(asked, str) else asked
    message = AIMessage(answer) if isinstance(answer, str) else answer
    return (check or HeuristicCheck()).check(RoutingRequest(messages=tuple(messages), **request), message)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("What is 6 times 7?", "42"),
        ("Is a whale a fish?", "No."),
        ("Which one: A, B or C?", "B"),
        ("Say something nice.", "👍"),
        ("Does it rain? Answer yes or no.", "yes"),
        ("Classify this review as good or bad: I waited an hour, and the soup was cold.", "bad"),
        ("What is the regular expression for digits?", r"`\d+`"),
        ("Remember that my name is Ann.", "Ok."),
        ("Sag Hallo.", "Hallo!"),
    ],
)
def test_a_short_answer_to_a_short_question_passes(asked: str, answer: str) -> None:
    assert look(asked, answer).passed


def test_it_asks_nobody() -> None:
    with pytest.raises(StopIteration) as end:
        next(HeuristicCheck().review(RoutingRequest(messages=(HumanMessage("Hi"),)), AIMessage("Hello!")))
    assert end.value.value.passed
    assert HeuristicCheck().seconds == ()


def test_the_answer_of_a_chat_model_is_read_as_it_comes() -> None:
    model = ScriptedChatModel(answers=["Hello! How can I help you today?", ""])
    assert look("Hi", model.invoke("Hi")).passed
    assert not look("Hi", model.invoke("Hi")).passed


@pytest.mark.parametrize("answer", ["", " \n\t ", "\u200b\ufeff", "```\n```", "<think>Hm.</think>\n"])
def test_an_answer_that_shows_nothing_is_empty(answer: str) -> None:
    assert look("Hi", answer).reason == "empty"


def test_an_answer_of_blocks_without_text_is_empty_unless_it_is_an_image_or_a_voice() -> None:
    thought = AIMessage([{"type": "reasoning", "reasoning": "They greet me."}])
    assert look("Hi", thought).reason == "empty"
    assert look("Draw a cat.", AIMessage([{"type": "image", "base64": "aGk="}])).passed
    assert look("Say hi.", AIMessage("", additional_kwargs={"audio": {"id": "a"}})).passed


def test_text_blocks_are_read_as_one_text() -> None:
    blocks: list[str | dict[Any, Any]] = [
        {"type": "text", "text": "I can"},
        {"type": "text", "text": "not help with that."},
    ]
    assert look("Hi", AIMessage(blocks)).reason == "a refusal, by its first words"
    assert look("Hi", AIMessage([{"type": "text", "text": "Hello!"}])).passed


@given(
    st.lists(
        st.text()
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["text", "reasoning"]), "text": st.none() | st.text()}
        )
    )
)
def test_the_text_that_is_read_is_langchains_own(content: list[Any]) -> None:
    message = AIMessage(content)
    assert said(message) == message.text or message.text.lstrip().startswith("<think")


def test_an_answer_that_calls_tools_passes_without_text() -> None:
    assert look("Find spiders.", AIMessage("", tool_calls=[CALL])).passed
    assert look("Find spiders.", AIMessage("I cannot know, so I search.", tool_calls=[CALL])).passed


def test_an_answer_with_a_call_that_cannot_be_read_and_no_text_is_empty() -> None:
    for good in ([], [CALL]):
        answer = AIMessage("", tool_calls=good, invalid_tool_calls=[BROKEN_CALL])
        assert look("Find spiders.", answer).reason == "empty: a tool call cannot be read"


@pytest.mark.parametrize(
    "answer",
    [
        "ok",
        "Sure!",
        "Certainly! Here you go:",
        "The sea is big.",
    ],
)
def test_an_answer_far_shorter_than_the_text_that_was_ordered_is_too_short(answer: str) -> None:
    assert look("Write an essay about the sea.", answer).reason.startswith("too short")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("Write a 400-word article about bees.", 100),
        ("Please describe the moon in about 200 words.", 50),
        ("Could you write me a short story about a cat?", 15),
        ("Explain in detail how a lock works.", 20),
        ("Topic: Rome. Write three paragraphs.", 36),
        ("I need an email to my landlord about the heating.", 15),
        ("Escribe un ensayo sobre el mar.", 40),
        ("Schreibe einen Aufsatz über das Meer.", 40),
        ("写一篇关于大海的文章。", 40),
        ("海についての作文を書いてください。", 40),
    ],
)
def test_how_much_is_asked_for_is_read_from_the_request(asked: str, words: int) -> None:
    assert look(asked, "Good.").reason == f"too short: the request asks for a text of {words} words or more"
    enough = " ".join(f"word{i}" for i in range(words))
    assert look(asked, enough + ".", HeuristicCheck(wrong_language=False)).passed


@pytest.mark.parametrize(
    "asked",
    [
        "Write a title for my essay.",
        "Write a very short story.",
        "Write a report in at most 20 words.",
        "Write a one-line poem.",
        "Is this essay any good? Answer yes or no.",
        "He meant to write a letter to her. Who is he?",
        "Give this 500-word article a name.",
        "Which of these is a report: A, B or C? Print only a single choice.",
        "Write the first letter of the alphabet.",
    ],
)
def test_a_text_that_is_only_spoken_of_asks_for_no_length(asked: str) -> None:
    assert look(asked, "Waves.").passed


def test_the_length_of_data_and_of_an_agents_step_is_nobodys_order() -> None:
    asked = "Write an essay about the sea."
    assert look(asked, '{"title": "Sea"}', response_schema={"type": "object"}).passed
    steps = [HumanMessage(asked), AIMessage("", tool_calls=[CALL]), ToolMessage("saved", tool_call_id="1")]
    assert look(steps, "Saved it.").passed


@pytest.mark.parametrize(
    "metadata",
    [
        {"finish_reason": "length"},  # OpenAI, LiteLLM
        {"finish_reason": "MAX_TOKENS"},  # Google, Cohere
        {"finish_reason": "FinishReason.MAX_TOKENS"},
        {"stop_reason": "max_tokens"},  # Anthropic
        {"stopReason": "max_tokens"},  # Bedrock
        {"done_reason": "length"},  # Ollama
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},  # OpenAI Responses
    ],
)
def test_an_answer_that_the_provider_cut_is_cut_off(metadata: dict[str, Any]) -> None:
    cut = AIMessage("The sea is deep.", response_metadata=metadata)
    assert look("Hi", cut).reason == "cut off: the model reached a length limit"
    assert look("Hi", cut, max_output_tokens=500).reason.startswith("cut off")
    assert look("Hi", cut, max_output_tokens=1).passed, "a limit for a label cuts on purpose"
    calls = AIMessage("", tool_calls=[CALL], response_metadata=metadata)
    assert look("Hi", calls).reason.startswith("cut off"), "arguments may be cut too"


@pytest.mark.parametrize(
    "metadata",
    [
        {"finish_reason": "content_filter"},
        {"stop_reason": "refusal"},
        {"finish_reason": "SAFETY"},
        {"finish_reason": "ERROR_TOXIC"},
        {"stopReason": "guardrail_intervened"},
    ],
)
def test_an_answer_that_the_provider_filtered_is_a_refusal(metadata: dict[str, Any]) -> None:
    filtered = AIMessage("", response_metadata=metadata)
    assert look("Hi", filtered).reason == "a refusal: the provider marks it as one"


def test_a_refusal_in_the_field_for_refusals_is_one() -> None:
    field = AIMessage("", additional_kwargs={"refusal": "No."})
    block = AIMessage([{"type": "refusal", "refusal": "No."}])
    assert look("Hi", field).reason == look("Hi", block).reason == "a refusal: the provider marks it as one"


@pytest.mark.parametrize(
    "metadata", [{}, {"finish_reason": None}, {"finish_reason": 7}, {"stop_reason": "end_turn"}]
)
def test_other_endings_say_nothing_against_it(metadata: dict[str, Any]) -> None:
    assert look("Hi", AIMessage("Hello!", response_metadata=metadata)).passed


PARAGRAPH = (
    "The tide turns twice a day. When the moon pulls at the sea, the water rises on both sides of the earth, "
    "and when it has passed, the water falls again. "
)


@pytest.mark.parametrize(
    "ending",
    [
        "That is why fishermen look at the",
        "That is why fishermen look at the clock before they go out,",
        "That is why fishermen look at the clo",
    ],
)
def test_prose_that_breaks_off_is_cut_off(ending: str) -> None:
    assert look("Why do tides turn?", PARAGRAPH + ending).reason.startswith("cut off: ")


@pytest.mark.parametrize(
    "ending",
    [
        "That is why fishermen look at the clock.",
        "That is why fishermen look at the clock (or the moon).",
        'They say: "The sea does not wait."',
        "More: https://example.org/tides",
        "\n\nBest regards,\nAnn",
        "\n\n- high tide\n- low tide",
        "\n\n| tide | time |\n|---|---|\n| high | 6 |",
        "\n\nAnswer: 42",
        "\n\n1. High tide. The water stands as high as it will on that day, at the coast and in the rivers",
        "\n\n```python\nprint('tide')\n```",
        "Enjoy the sea 🌊",
        "#sea #moon",
    ],
)
def test_prose_that_ends_as_prose_does_is_whole(ending: str) -> None:
    assert look("Why do tides turn?", PARAGRAPH + ending).passed


def test_a_missing_full_stop_is_style_where_the_model_says_that_it_ended() -> None:
    text = PARAGRAPH + "That is why fishermen look at the clock"
    assert not look("Why?", text).passed
    assert look("Why?", AIMessage(text, response_metadata={"finish_reason": "stop"})).passed
    assert look("Why?", AIMessage(text, response_metadata={"status": "completed"})).passed
    dangling = AIMessage(text + " and the", response_metadata={"finish_reason": "stop"})
    assert not look("Why?", dangling).passed, "no sentence ends like that"


def test_a_beginning_is_neither_cut_off_nor_too_short() -> None:
    begun = {
        "Why do tides turn?": PARAGRAPH + "That is why fishermen look at the",
        "Show me code.": "```python\nprint(1",
        "Write a 400-word article about bees.": "Bees are",
        "Write an essay about bees.": "Sure! Here",
        "Hi": "<think>They greet",
    }
    for asked, text in begun.items():
        assert look(asked, beginning(AIMessage(text))).passed
    for rule in ("refusal", "repeated", "wrong_language"):
        asked, text = FAULTY[rule]
        assert not look(asked, beginning(AIMessage(text))).passed, (
            "that much can be seen from the first words"
        )


def test_a_short_answer_needs_no_full_stop() -> None:
    assert look("Where do tides come from?", "The moon pulls the sea").passed
    two = "The moon pulls the sea. It does so on both sides of the earth, so there are two tides a day"
    assert look("Where do tides come from?", two).passed


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        ("Here:\n```python\nprint(1)\n```", True),
        ("Here:\n```python\nprint(1)\n", False),
        ("Here:\n```\na\n```\nand:\n```\nb", False),
        ("````markdown\n```python\nx = 1\n```\n````", True),
        ("```markdown\n```python\nx = 1\n```\n```", True),
        ("~~~\nx = 1\n~~~", True),
        ("Write ``` to open a block.", True),
        ('```json\n{"a": 1}', True),
        ('```json\n{"a": ', False),
        ("x = 1\n```", True),
    ],
)
def test_a_block_of_code_must_be_closed(answer: str, whole: bool) -> None:
    assert look("Show me code.", answer).passed is whole


def test_a_thought_that_never_ends_is_no_answer() -> None:
    assert look("What is 6 times 7?", "<think>6 times 7, so 7 and").reason.startswith("cut off")
    assert look("What is 6 times 7?", "<think>I cannot say at once.</think>42").passed


@pytest.mark.parametrize(
    "answer",
    [
        "And then it rained.\n" * 30,
        "And then it rained. " * 30,
        "Once upon a time there was a king. " + "ha" * 100,
        "- item one is here\n" * 12,
        "And then it rained.\n" * 30 + "At last the sun came out.",
        "".join(("It rained. ", "The wind blew hard. ", "We went on. ")[i * i // 2 % 3] for i in range(60)),
        "海很深。" * 60,
    ],
)
def test_an_answer_that_says_the_same_over_and_over_is_repeated(answer: str) -> None:
    assert look("Tell me about rain.", answer, HeuristicCheck(wrong_language=False)).reason.startswith(
        "repeated: "
    )


@pytest.mark.parametrize(
    "answer",
    [
        "| a | b |\n|---|---|\n" + "| 0 | 0 |\n" * 40,
        "\n".join(" ".join("0110100"[i % 7 :] + "01") for i in range(40)),
        "\n".join("| yes | no | yes |" if i**3 % 61 % 2 else "| no | yes | no |" for i in range(60)),
        "<table>\n" + "".join(f"<tr><td>{i}</td></tr>\n" for i in range(60)) + "</table>",
        "def f():\n    pass\n\n\n" * 3,
        "=" * 80,
        "[" + ", ".join(["null"] * 12) + "]",
    ],
)
def test_tables_matrices_and_rules_are_not_repetition(answer: str) -> None:
    assert look("Show me the data.", answer).passed


def test_repetition_that_was_asked_for_passes() -> None:
    assert look("Write 'I will not be late' 50 times.", "I will not be late.\n" * 50).passed


GERMAN = (
    "Das ist nicht so einfach, wie es auf den ersten Blick aussieht, und die Antwort hängt davon ab, wie "
    "viel Zeit man mit der Frage verbringt und was man von ihr hat."
)
ENGLISH = (
    "That is not as easy as it looks at first sight, and the answer depends on how much time you spend with "
    "the question and what you have from it."
)
FRENCH = (
    "Ce n'est pas aussi simple que cela en a l'air, et la réponse dépend du temps que vous passez avec la "
    "question et de ce que vous en avez."
)
CATALAN = (
    "El millor llibre que he llegit és una història de mar, perquè els personatges són molt vius i la "
    "llengua és clara, i no es pot deixar fins al final."
)
RUSSIAN = (
    "Это не так просто, как кажется на первый взгляд, и ответ зависит от того, сколько времени у вас есть."
)
CHINESE = (
    "这并不像乍看起来那么简单，答案取决于你在这个问题上花了多少时间，以及你从中得到了什么，还有你想知道什么。"
)
JAPANESE = (
    "それは一見したほど簡単ではなく、答えはその質問にどれだけの時間をかけるか、"
    "そして何を得たいかによって変わります。"
)


@pytest.mark.parametrize(
    ("asked", "answer", "found"),
    [
        ("What is the answer to the question, and why?", GERMAN, "German, where the request is English"),
        ("Was ist die Antwort auf die Frage, und warum?", ENGLISH, "English, where the request is German"),
        (
            "Quelle est la réponse à la question, et pourquoi ?",
            ENGLISH,
            "English, where the request is French",
        ),
        ("What is the answer to the question, and why?", RUSSIAN, "Cyrillic, where the request is English"),
        ("What is the answer to the question, and why?", CHINESE, "Chinese, where the request is English"),
        ("这个问题的答案是什么，为什么？", ENGLISH, "English, where the request is Chinese"),
        ("この質問の答えは何ですか。", CHINESE, "Chinese, where the request is Japanese"),
        ("Какой ответ на этот вопрос?", GERMAN, "German, where the request is Cyrillic"),
    ],
)
def test_an_answer_plainly_in_another_language_is_wrong(asked: str, answer: str, found: str) -> None:
    assert look(asked, answer).reason == f"wrong language: {found}"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("What is the answer to the question, and why?", ENGLISH),
        ("Was ist die Antwort auf die Frage, und warum?", GERMAN),
        ("この質問の答えは何ですか。", JAPANESE),
        ("Say in German what the answer to the question is.", GERMAN),
        ("Translate: the answer to the question is not easy.", FRENCH),
        ("Was ist die Antwort? Bitte auf Englisch.", ENGLISH),
        ("用英文回答：这个问题的答案是什么？", ENGLISH),
        (f"Go on with this text of mine: {GERMAN}", GERMAN),
        (f"Please summarize this for me, so that I can have a look at it: {GERMAN * 3}", ENGLISH),
        (f"Was meint der Autor damit, und ist das richtig? {ENGLISH}", ENGLISH),
        ("What is the best known work of this author?", "Also sprach Zarathustra"),
        ("Ok", GERMAN),
        ("Напиши функцию сложения.", "```python\ndef add(a, b):\n    return a + b\n```"),
        ("Write the chords of the song.", "A D A E A D A E " * 3),
        (
            "How does the tune of the song go?",
            "La la la de la la, la de la la la, la la de la la la la de la",
        ),
        ("Quin és el millor llibre que has llegit, i per què?", CATALAN),
    ],
)
def test_a_language_that_the_request_leaves_open_or_asks_for_is_right(asked: str, answer: str) -> None:
    assert look(asked, answer).passed


def test_the_system_message_may_set_the_language() -> None:
    told = [SystemMessage("Always answer in German."), HumanMessage("What is the answer to the question?")]
    assert look(told, GERMAN).passed
    assert not look([SystemMessage("Be brief."), told[1]], GERMAN).passed


FAULTY: dict[str, tuple[str, str]] = {
    "empty": ("Hi", ""),
    "refusal": ("Who won the cup in 1998?", "I'm sorry, but I can't help with that."),
    "cut_off": ("Show me code.", "```python\nprint(1)"),
    "repeated": ("Tell me about rain.", "And then it rained. " * 30),
    "too_short": ("Write an essay about the sea.", "The sea is big."),
    "wrong_language": ("What is the answer to the question, and why?", GERMAN),
}


@pytest.mark.parametrize("rule", FAULTY)
def test_each_rule_can_be_switched_off_on_its_own(rule: str) -> None:
    asked, answer = FAULTY[rule]
    assert not look(asked, answer).passed
    assert look(asked, answer, HeuristicCheck(**{rule: False})).passed
    alone: dict[str, bool] = dict.fromkeys(FAULTY, False) | {rule: True}
    assert not look(asked, answer, HeuristicCheck(**alone)).passed


@pytest.mark.parametrize("rule", FAULTY)
def test_a_switch_is_true_or_false(rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{rule} must be True or False, got 0.5"):
        HeuristicCheck(**{rule: 0.5})  # type: ignore[arg-type]


def test_its_repr_shows_what_is_off() -> None:
    assert repr(HeuristicCheck()) == "HeuristicCheck()"
    assert repr(HeuristicCheck(refusal=False, empty=False)) == "HeuristicCheck(empty=False, refusal=False)"


def test_no_reason_holds_a_word_of_request_or_answer() -> None:
    word = "xylophone"
    for asked, answer in FAULTY.values():
        assert word not in look(f"{asked} {word}", f"{answer} {word}" if answer else "").reason


@pytest.mark.parametrize(
    "answer",
    [
        lambda n: "The sea is deep, and it is blue. " * (n // 33),
        lambda n: " " * n,
        lambda n: "\n" * n,
        lambda n: "`" * n,
        lambda n: "sorry, " * (n // 7),
        lambda n: "<think>" + "x " * (n // 2),
        lambda n: "\U0001f600" * (n // 4),
        lambda n: "的" * (n // 3),
        lambda n: "[{" * (n // 2),
        lambda n: " ".join(map(str, range(n // 8))),
    ],
)
@pytest.mark.parametrize("blocks", [False, True])
def test_ten_megabytes_are_looked_at_in_ten_milliseconds(answer: Callable[[int], str], blocks: bool) -> None:
    text = answer(10_000_000)
    message = AIMessage([{"type": "text", "text": text}] if blocks else text)
    request = RoutingRequest(messages=(HumanMessage("Write an essay about the sea. " + "x " * 5_000_000),))
    check = HeuristicCheck()
    assert _fastest_s(lambda: check.check(request, message)) < 0.010


def _fastest_s(run: Callable[[], object]) -> float:
    took: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return min(took)


_TEXT = (
    st.text()
    | st.text("`~<>think/ \n{}[]|,.'", max_size=300)
    | st.sampled_from([a for _, a in FAULTY.values()])
)


@settings(max_examples=400, deadline=None)
@given(_TEXT, _TEXT, st.booleans())
def test_no_text_makes_it_raise(asked: str, answer: str, blocks: bool) -> None:
    message = AIMessage([{"type": "text", "text": answer}, answer] if blocks else answer)
    verdict = look(asked, message)
    assert verdict.score is None
    assert verdict.reason


@given(
    st.text(),
    st.dictionaries(
        st.sampled_from(["finish_reason", "stop_reason", "status"]), st.none() | st.text() | st.integers()
    ),
)
def test_no_metadata_makes_it_raise(answer: str, metadata: dict[str, Any]) -> None:
    look("Hi", AIMessage(answer, response_metadata=metadata))
