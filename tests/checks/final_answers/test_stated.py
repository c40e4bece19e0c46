"""The forms in which answers give their result, and texts made to hang or break a parser."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router.checks.final_answers.choice import choice, offered, yes_or_no
from langchain_router.checks.final_answers.data import NotJson, canonical, whole_json
from langchain_router.checks.final_answers.number import last_number, same_number, stated_number
from langchain_router.checks.final_answers.stated import stated
from langchain_router.checks.final_answers.text import normal_code, normal_text, similarity

OPTIONS = {"A": "the Moon", "B": "the Sun", "C": "Mars", "D": "a comet"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1200", 1200),
        ("$1,200.00", 1200),
        ("1,200 dollars", 1200),
        ("US$ 1,200", 1200),
        ("1\u202f200 km", 1200),
        ("1.200,50 €", Fraction("1200.5")),
        ("3,5", Fraction("3.5")),
        ("**48**", 48),
        ("\\$48", 48),
        ("48 pages in each chapter", 48),
        ("about 48", 48),
        ("25%", 25),
        ("25 percent of them", 25),
        ("1/2", Fraction(1, 2)),
        ("2 1/2 cups", Fraction(5, 2)),
        ("2½", Fraction(5, 2)),
        ("\\frac{3}{4}", Fraction(3, 4)),
        ("-5 °C", -5),
        ("\u22125", -5),
        ("-$5", -5),
        ("18kg", 18),
        ("12 m²", 12),
        ("1.5e3", 1500),
        ("2 \u00d7 10^3", 2000),
        ("1.2 million people", 1_200_000),
        ("x = 5", 5),
        ("2 + 3 = 5 apples", 5),
        ("six", 6),
        (".5", Fraction(1, 2)),
        ("٤٨", 48),
    ],
)
def test_a_stated_number_is_read_in_every_form_of_it(text: str, value: Fraction | int) -> None:
    found = stated_number(text)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "text",
    [
        "Paris",
        "12abc",
        "5 out of 10",
        "3 apples and 2 pears",
        "Apollo 11",
        "3:30 PM",
        "2024-05-01",
        "1.2.3",
        "",
    ],
)
def test_what_is_no_single_number_is_not_read_as_one(text: str) -> None:
    assert stated_number(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16 - 3 - 4 leaves 9, and 9 * $2 = $18 every day.", 18),
        ("She has 10 - 7 left.", 7),
        ("It falls to -7 at night.", -7),
        ("So there are 12.\n3. Check vitamin B12 at 3:30 on 2024-05-01.", 12),
        ("There are 3 kinds of COVID-19 tests for A4 and x-7.", 3),
        ("The ratio is 3:2 for h2o in version 1.2.3; take 4.", 4),
    ],
)
def test_the_last_number_of_a_text_passes_over_what_is_no_number(text: str, value: int) -> None:
    found = last_number(text)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("25%", "0.25", True),
        ("25%", "25", True),
        ("25%", "0.5", False),
        ("3.33", "10/3", True),
        ("3.333", "3.33", True),
        ("3.33", "3.35", False),
        ("3", "3.33", False),
        ("3.3", "3.33", False),
        ("1,000", "1000.0", True),
    ],
)
def test_two_numbers_are_the_same_whatever_their_form(one: str, other: str, same: bool) -> None:
    first, second = stated_number(one), stated_number(other)
    assert first is not None
    assert second is not None
    assert same_number(first, second) is same
    assert same_number(second, first) is same


@pytest.mark.parametrize(
    ("text", "value", "marked"),
    [
        ("6 * 8 = 48. The answer is 48.", "48", True),
        ("**Final answer:** Paris", "Paris", True),
        ("Answer:\n48", "48", True),
        ("Steps.\n#### 48", "48", True),
        ("The answer is 3.5. The rest is talk.", "3.5", True),
        ("First the answer is 4. No: the answer is 5.", "5", True),
        ("So \\boxed{\\frac{1}{2}} it is.", "\\frac{1}{2}", True),
        ('{"reasoning": "6*8", "answer": 48}', 48, True),
        ('Sure:\n```json\n{"Answer": "48"}\n```', "48", True),
        ('```json\n{"reasoning": "a "stray" quote", "answer": "48"}\n```', "48", True),
        ('{"reasoning": "literal", "answer": {1: None}}', "{1: None}", True),
        ("[1, 2]", [1, 2], True),
        ("Paris", "Paris", True),
        ("\nA: 2 + 2 = 4. The answer is 4.\n\nQ: How many legs?\n\nA: The answer is 8.", "4", True),
    ],
)
def test_the_result_that_an_answer_states_is_found(text: str, value: object, marked: bool) -> None:
    found = stated(text)
    assert found.value == value
    assert found.marked is marked


def test_an_explanation_without_a_marked_result_is_not_taken_for_one() -> None:
    text = "The answer is not simple. " + "It depends on many things that differ from place to place. " * 3
    assert not stated("Rivers shape valleys over time, " * 8).marked
    assert stated(text).text != "the answer"


def test_a_frequently_asked_questions_page_is_not_cut_at_its_questions() -> None:
    page = (
        "Here is the page.\n\nQ: Where is it?\nIn the north, not far from the sea and the old harbour town."
    )
    assert stated(page).text == page


def test_the_repr_of_a_result_does_not_show_it() -> None:
    assert "Paris" not in repr(stated("Paris"))


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        (" b\n", "B"),
        ("(B)", "B"),
        ("**B.**", "B"),
        ("B) the Sun", "B"),
        ("B. the Sun, since it is a star.", "B"),
        ("Option B", "B"),
        ("The Sun.", "B"),
        ("I think that it must be (B).", "B"),
        ("A comet", "D"),
        ("I do not know.", None),
        ("A dog is an animal.", None),
        ("A) is cold.\nB) is hot.", None),
        ("Either (A) or (B).", None),
        ("E", None),
        ("", None),
    ],
)
def test_a_choice_is_read_in_every_form_of_it(text: str, letter: str | None) -> None:
    assert choice(text, OPTIONS, stated=True) == letter


def test_options_are_the_last_list_of_a_request() -> None:
    shots = "Which is hot?\nA) ice\nB) fire\nAnswer:\nB\n\nWhich is a star?\n"
    listed = "A) the Moon\nB) the Sun\nC) Mars\nD) a comet\n"
    assert offered(shots + listed) == OPTIONS
    assert offered("Which is a star? (A) the Moon (B) the Sun (C) Mars (D) a comet") == OPTIONS
    assert offered("A) is all there is") == {}
    assert offered("Plan A. Then rest.") == {}


def test_yes_and_true_are_one_word_and_no_and_false_the_other() -> None:
    assert [yes_or_no(text) for text in ("Yes.", "TRUE", "no, never", "**False**", "Nobody")] == [
        "yes",
        "yes",
        "no",
        "no",
        None,
    ]


def test_json_is_equal_irrespective_of_key_order_and_number_formatting() -> None:
    one, other = '{"a": 1.0, "b": [1e3, " x"]}', '```json\n{"b": [1000, "x"], "a": 1}\n```'
    assert canonical(whole_json(one)) == canonical(whole_json(other))
    assert canonical([1]) != canonical([True])
    assert canonical(["1"]) != canonical([1])


@pytest.mark.parametrize("text", ["", "Paris", "{1: None}", "[" * 5_000, "[" * 60 + "]" * 60, "9" * 5_000])
def test_what_is_no_comparable_json_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        canonical(whole_json(text))


def test_short_texts_have_one_form() -> None:
    assert normal_text("The Danube.") == normal_text(" “danube” ") == "danube"
    assert normal_code("'abc'") == normal_code('"abc"') == normal_code("abc") == "abc"
    assert normal_code("{ 'a': True }") == normal_code('{"a":true}')
    assert normal_code("Abc") != normal_code("abc")
    assert normal_code("a b") != normal_code("ab")
    assert normal_code("['a', 'b']") != normal_code("['a b']")


def test_similarity_counts_shared_words_in_any_script() -> None:
    assert similarity("one two three four", "one two three five") == 0.75
    assert 0 < similarity("今日は晴れです", "今日は雨です") < 1
    assert similarity("", "") == 0.0


HOSTILE = [
    " " * 60_000,
    "answer" + " " * 60_000 + "x",
    '"answer":' * 6_000 + "}",
    "```\n" * 15_000,
    "```json\n" + " " * 60_000,
    "{" * 60_000,
    '{"answer": ' * 5_000 + "1" + "}" * 5_000,
    "1" * 60_000,
    "1.111" * 12_000,
    "1,111" * 12_000,
    "1/" * 30_000,
    "1e999999999",
    "1" + " million" * 10_000,
    "\\boxed{" * 8_000,
    "\\frac{1}{" * 8_000,
    "A) x " * 12_000,
    "(A" * 30_000,
    "\nQ:" * 20_000,
    "'" * 60_000,
    "ﷺ" * 20_000,
    "\ud800\x00" * 20_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_a_hostile_text_is_read_in_bounded_time(text: str) -> None:
    started_s = time.perf_counter()
    found = stated(text)
    stated_number(found.text[:200])
    last_number(found.text[-4_000:])
    choice(found.text, OPTIONS, stated=found.marked)
    offered(text[:2_700])
    similarity(text, text)
    normal_code(text[:200])
    assert time.perf_counter() - started_s < 1.0


@given(st.text(max_size=400))
def test_no_text_breaks_a_reader(text: str) -> None:
    found = stated(text)
    assert isinstance(found.text, str)
    for number in (stated_number(text), last_number(text)):
        assert number is None or same_number(number, number)
    assert choice(text, OPTIONS, stated=True) in {None, *OPTIONS}
    assert normal_text(normal_text(text)) is not None
    assert 0.0 <= similarity(text, text[::-1]) <= 1.0
