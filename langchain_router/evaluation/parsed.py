"""Whether a parser's failure says that an answer is wrong: measured on recorded answers in JSON.

python -m langchain_router.evaluation.parsed FILE... [--field answer]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from langchain_core.exceptions import OutputParserException
from langchain_core.output_parsers import JsonOutputParser

from langchain_router.testing.replay import read_replay

_GOOD: Final = 0.85
_CUT: Final = "[truncated]"


def run(files: list[str], field: str) -> None:
    """Print, for each file, how often a parser fails on its answers and how often those are wrong.

    Args:
        files: Recorded prompts and answers; only those files say something whose models were asked for JSON.
        field: What the parsed object must hold.
    """
    heads = ("answers", "wrong", "unparsed", "of these wrong", "of parsed wrong")
    print(f"{'file':<28} " + " ".join(f"{head:>15}" for head in heads))
    for file in map(Path, files):
        counts = Counter(_judged(file, field))
        unparsed = counts[False, False] + counts[False, True]
        parsed = counts[True, False] + counts[True, True]
        wrong = counts[False, False] + counts[True, False]
        told = (
            unparsed + parsed,
            _share(wrong, unparsed + parsed),
            unparsed,
            _share(counts[False, False], unparsed),
            _share(counts[True, False], parsed),
        )
        print(f"{file.name[:28]:<28} " + " ".join(f"{one:>15}" for one in told))


def _judged(file: Path, field: str) -> Iterator[tuple[bool, bool]]:
    """Yield for every whole answer whether it parses, and whether it was judged to be good."""
    parser = JsonOutputParser()
    for row in read_replay(file):
        for answer in row.outcomes.values():
            if answer.response and _CUT not in answer.response:
                yield _parses(parser, answer.response, field), answer.score >= _GOOD


def _parses(parser: JsonOutputParser, text: str, field: str) -> bool:
    try:
        found = parser.parse(text)
    except OutputParserException:
        return False
    return isinstance(found, dict) and field in found


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


if __name__ == "__main__":
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("files", nargs="+", help="recorded prompts and answers (.jsonl, .jsonl.gz)")
    reader.add_argument("--field", default="answer", help="what the parsed object must hold")
    chosen = reader.parse_args()
    run(chosen.files, chosen.field)
