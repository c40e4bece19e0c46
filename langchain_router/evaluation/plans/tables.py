"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[int] = ()) -> str:
    r"""Return a table.

    Args:
        header: What stands over each column.
        rows: As many cells each.
        right: Columns whose cells are set to the right.

    Example:
        >>> print(table(("who", "saved"), [("a|b", "7 %")], right=[1]))
        | who | saved |
        |---|--:|
        | a\|b | 7 % |
    """
    lines = [_line(header), "|" + "|".join("--:" if i in right else "---" for i in range(len(header))) + "|"]
    return "\n".join([*lines, *map(_line, rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
