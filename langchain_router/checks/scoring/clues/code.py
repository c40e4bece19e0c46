"""Whether code in an answer can be read, and defines what was asked for. Nothing is ever run."""

from __future__ import annotations

import ast
import re

from langchain_router.checks.scoring.clues.reading import Answer, Question, capped

NAMES = (
    "asks_code",
    "code_given",
    "code_missing",
    "python",
    "other_language",
    "python_reads",
    "python_broken",
    "brackets_open",
    "defines_asked_name",
    "lacks_asked_name",
    "defines_nothing",
    "returns_something",
    "left_to_do",
    "prints_or_reads",
    "functions",
    "words_around_code",
    "language_not_asked",
    "loops",
    "depth",
)

_MOST_CHARS = 20_000
_FENCED = re.compile(r"(?:```|~~~)([a-zA-Z0-9+#]{0,15})[^\n]{0,40}\n(.*?)(?:```|~~~|\Z)", re.DOTALL)
_TAGGED = re.compile(r"\[BEGIN\]|\[DONE\]|\[PYTHON\]|\[/PYTHON\]", re.IGNORECASE)
_ASKS_CODE = re.compile(
    r"\b(?:write|implement|create|complete|define|code|develop|generate|program|fix|debug)\b.{0,60}"
    r"\b(?:function|program|code|script|method|class|query|algorithm|regex|regular expression)\b"
    r"|\bpython\b|\bjavascript\b|\bsql\b|^\s{0,8}def \w+\(|\bassert \w+\(",
    re.IGNORECASE | re.MULTILINE,
)
_LOOKS_LIKE_CODE = re.compile(
    r"^[ \t]{0,12}(?:def \w+\s?\(|class \w+|import \w|from \w[\w.]* import|#include|public |private "
    r"|function \w|const \w|let \w|var \w|return\b|for \(|while \(|SELECT\b)",
    re.MULTILINE,
)
_LANGUAGES = {
    "python": re.compile(
        r"^[ \t]{0,40}(?:def \w+\s?\(|import \w|from \w[\w.]* import|elif\b|print\()", re.MULTILINE
    ),
    "c++": re.compile(r"#include\s?[<\"]|\bstd::|\bint main\s?\(|\bcout\b"),
    "java": re.compile(r"\bpublic (?:static |class )|\bSystem\.out\b"),
    "javascript": re.compile(r"\bfunction \w*\s?\(|\bconsole\.log\b|\bconst \w+ =|=>\s?\{"),
    "sql": re.compile(r"\bSELECT\b.{1,200}\bFROM\b", re.DOTALL),
}
_NAMED = re.compile(
    r"\b(?:def|assert|function(?: named| called)?|method(?: named| called)?|named|called)\s+`?(\w{2,60})"
)
_CALLED = re.compile(r"\b([a-z_]\w{2,60})\s?\(")
_DEFINED = re.compile(
    r"\b(?:def|class|function|void|int|float|double|bool|boolean|string|auto|const|let|var)\s+(\w{1,60})"
)
_LEFT = re.compile(
    r"\bTODO\b|\bNotImplemented|your code here|^\s{1,40}(?:pass|\.\.\.)\s*$", re.IGNORECASE | re.MULTILINE
)
_OUTSIDE = re.compile(r"^(?:print|input)\(|^\w+\(.*\)$", re.MULTILINE)
_LOOPS = re.compile(r"\b(?:for|while)\b")
_STRINGS = re.compile(r"'(?:[^'\\\n]|\\.){0,400}'|\"(?:[^\"\\\n]|\\.){0,400}\"|#[^\n]*|//[^\n]*")
_ODD_ESCAPE = re.compile(r"\\(?=[^\\'\"abfnrtvxNuU0-7\n])")
_OPEN, _CLOSE = "([{", ")]}"
_NOTHING = (0.0,) * (len(NAMES) - 3)


def clues(question: Question, answer: Answer) -> tuple[float, ...]:
    r"""Return what the code of an answer shows.

    Example:
        >>> from langchain_router.checks.scoring.clues.reading import read_answer, read_question
        >>> asked = read_question("Write a Python function add(a, b).")
        >>> seen = dict(zip(NAMES, clues(asked, read_answer("def add(a, b):\n    return a +")), strict=True))
        >>> seen["python_broken"], seen["defines_asked_name"]
        (1.0, 1.0)
    """
    asks, wanted = question.once(_wanted)
    code, around = code_of(answer.text)
    if not code:
        return (float(asks), 0.0, float(asks), *_NOTHING)
    language = language_of(code)
    plain = _STRINGS.sub(" ", code)
    open_brackets = brackets_open(plain)
    reads = parses(code) if language in ("python", "") and not open_brackets else None
    broken = language == "python" and not reads
    defined = set(_DEFINED.findall(plain))
    indents = max(
        (len(line) - len(line.lstrip()) for line in code.split("\n")[:400] if line.strip()), default=0
    )
    return (
        float(asks),
        1.0,
        0.0,
        float(language == "python"),
        float(language not in ("python", "")),
        float(bool(reads)),
        float(broken),
        float(open_brackets),
        float(bool(wanted & defined)),
        float(bool(wanted) and not wanted & defined),
        float(not defined),
        float("return" in plain),
        float(_LEFT.search(plain) is not None),
        float(_OUTSIDE.search(code) is not None),
        capped(len(defined), 6),
        capped(around, 1_000),
        float(language not in ("", "python") and language not in question.text.lower()),
        capped(len(_LOOPS.findall(plain)), 6),
        capped(indents, 24),
    )


def code_of(text: str) -> tuple[str, int]:
    r"""Return the code that a text is or holds, and how many characters stand around it.

    Example:
        >>> code_of("Here:\n```python\nx = 1\n```")
        ('x = 1\n', 19)
    """
    blocks = _FENCED.findall(text)
    code = "\n".join(
        block for name, block in blocks if name.lower() not in ("json", "text", "markdown", "latex")
    )
    if not code and not blocks:
        plain = _TAGGED.sub("", text)
        code = plain if _LOOKS_LIKE_CODE.search(plain) else ""
    code = code[:_MOST_CHARS]
    return code, len(text) - len(code)


def language_of(code: str) -> str:
    """Return in which of five languages code is; empty when that is not plain."""
    return next((name for name, shape in _LANGUAGES.items() if shape.search(code)), "")


def brackets_open(code: str) -> bool:
    """Say whether brackets do not match.

    Example:
        >>> brackets_open("f(a[1)]"), brackets_open("f(a[1])")
        (True, False)
    """
    stack: list[str] = []
    for sign in code:
        if sign in _OPEN:
            stack.append(_CLOSE[_OPEN.index(sign)])
        elif sign in _CLOSE and (not stack or stack.pop() != sign):
            return True
    return bool(stack)


def parses(code: str) -> bool:
    """Say whether a text is Python that can be read. It is parsed, never run, and no warning is shown.

    Example:
        >>> parses("x = 1"), parses("x ="), parses("(" * 10_000)
        (True, False, False)
    """
    if len(code) > _MOST_CHARS:
        return False
    try:
        ast.parse(_ODD_ESCAPE.sub(r"\\\\", code))
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError, Warning):
        return False
    return True


def _wanted(text: str) -> tuple[bool, frozenset[str]]:
    """Return whether a question asks for code, and the names that it may want defined."""
    if _ASKS_CODE.search(text) is None:
        return False, frozenset()
    return True, frozenset(_NAMED.findall(text)[-8:]) | frozenset(_CALLED.findall(text)[-8:])
