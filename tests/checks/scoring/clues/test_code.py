"""Code that is read and never run, however it was made."""

from __future__ import annotations

import warnings

import pytest

from langchain_router.checks.scoring.clues.code import brackets_open, code_of, language_of, parses

UNREADABLE = {
    "deep attributes": "x" + ".a" * 9_000,
    "a long sum": "x = " + "1+" * 9_000 + "1",
    "minus signs": "-" * 19_000 + "1",
    "nots": "not " * 4_900 + "1",
    "null bytes": "x = 1\0",
    "lone surrogates": "x = '\ud800'",
    "brackets": "(" * 19_000,
    "half a function": "def f(:\n    return",
    "too long": "x = 1\n" * 5_000,
}


@pytest.mark.parametrize("code", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_not_python_and_raises_nothing(code: str) -> None:
    assert not parses(code)


def test_reading_shows_no_warning_for_odd_escapes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parses("import re\nre.compile('\\d+\\w')\nx = '\\n\\\\'")


def test_code_is_found_in_fences_in_tags_and_bare() -> None:
    assert code_of("Here:\n```python\nx = 1\n```\nand\n```\ny = 2\n```")[0] == "x = 1\n\ny = 2\n"
    assert code_of("[BEGIN]\ndef f():\n    return 1\n[DONE]")[0].strip().startswith("def f")
    assert code_of("```json\n{}\n```")[0] == ""
    assert code_of("The answer is 42.")[0] == ""


def test_languages_are_told_apart() -> None:
    assert language_of("def f(x):\n    return x") == "python"
    assert language_of("#include <vector>\nint main() {}") == "c++"
    assert language_of("public class A { }") == "java"
    assert language_of("function f(x) { return x; }") == "javascript"
    assert language_of("SELECT a FROM b") == "sql"
    assert language_of("x") == ""


def test_brackets_must_close_in_order() -> None:
    assert not brackets_open("f(a[1], {2})")
    assert brackets_open("f(a[1)]")
    assert brackets_open("f)")
