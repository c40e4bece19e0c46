"""What a careful reader would notice, clue by clue."""

from __future__ import annotations

from langchain_core.messages import HumanMessage

from langchain_router import RoutingRequest
from langchain_router.checks.scoring.features import CLUE_NAMES, CLUES, features_of

HOW_MUCH = "Ann has 12 pens and buys 5 more at $4 each. How much does she pay?"
CODE = "Write a Python function is_even(n) that returns whether n is even."
OPTIONS = "Which is a mammal?\nA) trout\nB) whale\nC) newt"


def seen(prompt: RoutingRequest | str, answer: str) -> dict[str, float]:
    found = features_of(prompt, answer)
    return {
        CLUE_NAMES[index]: float(value)
        for index, value in zip(found.indices, found.values, strict=True)
        if index < CLUES
    }


def test_the_last_sum_is_wrong_though_the_others_hold() -> None:
    clues = seen(HOW_MUCH, "12 + 5 = 17. 5 * 4 = 25. The answer is 25.")
    assert clues["sums.last_sum_wrong"] == 1
    assert clues["sums.share_of_sums_wrong"] == 0.5
    assert "sums.all_sums_right" not in clues
    assert clues["sums.result_is_last_sum"] == 1


def test_figures_that_nobody_gave_are_noticed_and_results_of_sums_are_not_such() -> None:
    from_nowhere = seen(HOW_MUCH, "5 * 4 = 20 and 20 + 37 = 57.")
    assert from_nowhere["sums.share_of_figures_from_nowhere"] == 0.25
    assert "sums.figures_from_nowhere" not in seen(HOW_MUCH, "5 * 4 = 20 and 20 + 12 = 32.")


def test_givens_that_are_not_used_are_noticed() -> None:
    assert "sums.share_of_given_not_used" in seen(HOW_MUCH, "5 * 4 = 20")
    assert "sums.share_of_given_not_used" not in seen("5 pens at $4?", "5 * 4 = 20")


def test_the_kind_of_answer_fits_what_is_asked_for_or_not() -> None:
    assert "kind.number_missing" in seen(HOW_MUCH, "She pays for all of the pens.")
    assert "kind.number_given" in seen(HOW_MUCH, "She pays $20.")
    assert "kind.choice_missing" in seen(OPTIONS, "It depends on what a mammal is.")
    assert {"kind.choice_given"} <= set(seen(OPTIONS, "B) whale"))
    assert "kind.yes_no_missing" in seen("Is 7 prime? Answer yes or no.", "Seven.")
    assert "kind.no_given" in seen("Is 8 prime? Answer yes or no.", "No.")
    assert "kind.list_missing" in seen("List three rivers.", "The Rhine.")


def test_code_is_read_and_never_run() -> None:
    good = "```python\ndef is_even(n):\n    return n % 2 == 0\n```"
    assert {"code.python_reads", "code.defines_asked_name", "code.returns_something"} <= set(seen(CODE, good))
    broken = seen(CODE, "```python\ndef is_even(n)\n    return n % 2 == 0\n```")
    assert "code.python_broken" in broken
    assert "code.lacks_asked_name" in seen(CODE, "def odd(n):\n    return n % 2")
    assert "code.code_missing" in seen(CODE, "You look at the remainder.")
    assert "code.left_to_do" in seen(CODE, "def is_even(n):\n    pass\n")
    assert "code.language_not_asked" in seen(CODE, "```cpp\n#include <iostream>\nbool is_even(int n);\n```")
    assert "code.brackets_open" in seen(CODE, "def is_even(n):\n    return (n % 2")
    seen(CODE, "```python\nraise SystemExit('it was run')\n```")


def test_data_are_whole_and_hold_what_was_asked_for() -> None:
    asked = 'Return JSON with the keys "name" and "age".'
    assert {"data.json_given", "data.json_has_asked_keys"} <= set(seen(asked, '{"name": "Ann", "age": 7}'))
    assert "data.json_broken" in seen(asked, '{"name": "Ann", "age": ')
    assert "data.json_lacks_asked_keys" in seen(asked, '{"who": "Ann"}')
    assert "data.json_missing" in seen(asked, "Ann is seven.")
    schema = RoutingRequest(messages=(HumanMessage("Who is it?"),), response_schema={"type": "object"})
    assert "data.json_missing" in seen(schema, "It is Ann.")


def test_an_answer_that_does_not_end_or_plays_on_is_noticed() -> None:
    cut = (
        "A long enough sentence, of the sort that goes on for a while and then a bit more, " * 2 + "until the"
    )
    assert "ending.breaks_off" in seen("Why?", cut)
    assert "ending.breaks_off" in seen("Why?", "```python\nx = [1,")
    assert "ending.plays_on" in seen("2 + 2?", "4\nQ: 3 + 3?\nA: 6")
    assert "ending.repeats_itself" in seen("Why?", "And then it rained. " * 30)


def test_doubts_refusals_and_other_languages_are_noticed() -> None:
    clues = seen("When was it built?", "I think it was perhaps built in 1900, but I'm not sure.")
    assert {"manner.unsure", "manner.guesses"} <= set(clues)
    assert "manner.refuses" in seen("Who won?", "I'm sorry, but I can't help with that.")
    german = (
        "Das ist nicht so einfach, wie es auf den ersten Blick aussieht, und die Antwort hängt davon ab, "
    )
    german += "wie viel Zeit man mit der Frage verbringt und was man von ihr hat."
    assert "manner.other_language" in seen("What is the answer to the question?", german)


def test_results_that_contradict_each_other_are_noticed() -> None:
    assert "results.results_differ" in seen("6 * 7?", "The answer is 42. Sorry, the answer is 43.")
    assert "results.results_differ" not in seen("6 * 7?", "The answer is 42. Again: the answer is 42.")


def test_an_answer_that_repeats_its_question_is_noticed() -> None:
    assert "shape.repeats_question" in seen(HOW_MUCH, HOW_MUCH + " Well.")
    assert seen(HOW_MUCH, "")["shape.empty"] == 1
