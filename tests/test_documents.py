"""Every Python example in the README and the docs runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_from_top_to_bottom(page: Path) -> None:
    names: dict[str, object] = {}
    for number, code in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8")), start=1):
        exec(compile(code, f"{page.name}, example {number}", "exec"), names)  # noqa: S102 - our own pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    missing = [
        link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()
    ]
    assert missing == []


def test_the_decision_shown_in_the_readme_is_the_one_printed(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    exec(_BLOCK.findall(text)[0], {})  # noqa: S102 - our own page
    shown = re.search(r"^```text\n(Chose .*?)^```", text, re.MULTILINE | re.DOTALL)
    assert shown is not None
    # Prices come from LiteLLM's map, which changes with its release.
    without_prices = [
        re.sub(r"about \$[\d.]+", "about $", page) for page in (shown.group(1), capsys.readouterr().out)
    ]
    assert without_prices[0].strip() == without_prices[1].strip()
