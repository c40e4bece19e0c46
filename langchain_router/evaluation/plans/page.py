"""Writes the page of the benchmark, in Markdown, with its plots: whole, at every run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from langchain_router.evaluation.plans.aims import Aim, aims_of, aims_of_signals
from langchain_router.evaluation.plans.limits import limits_of
from langchain_router.evaluation.plans.names import (
    ADAPTIVE,
    BEST_STATIC,
    LENGTH,
    MODELS_ONLY,
    ORACLE,
    figures_of,
    label,
    named,
)
from langchain_router.evaluation.plans.online import online_notes, online_rows
from langchain_router.evaluation.plans.other_figures import checks_section, signals_section
from langchain_router.evaluation.plans.report import OVER, absent_peers, both, fitted_on, mark, points, shares
from langchain_router.evaluation.plans.results import Figures, SuiteFigures
from langchain_router.evaluation.plans.sources import source_of
from langchain_router.evaluation.plans.stored import Run, means_of
from langchain_router.evaluation.plans.suites import DataFacts
from langchain_router.evaluation.plans.tables import table
from langchain_router.exceptions import ConfigurationError

_SUMMARISED: Final = (ADAPTIVE, "cascade", MODELS_ONLY, BEST_STATIC, LENGTH, ORACLE)
_CURVES_A_PLOT: Final = 4
_COLOURS: Final = 256
_PATH: Final = re.compile(r"""(['"])[^'"]*[/\\]([^'"/\\]+\1)|(?<!\S)/\S*/""")
_ROW: Final = (
    '{"id": "1", "prompt": "...", "outcomes": {"small": {"score": 1, "response": "...", "cost": 0.0001}}}'
)


def write_page(
    run: Run,
    path: str,
    *,
    figures_path: str | None = None,
    signals: Any = None,
    checks: Any = None,
) -> None:
    """Write the page, and its plots into a folder `img` beside it.

    It holds figures and names, and neither a prompt nor where on this machine anything lies.

    Args:
        run: What was found.
        path: Of the page.
        figures_path: The same figures as JSON; the page links to them where they lie beside it.
        signals: What `bench-signals` wrote, where it is to be told too.
        checks: What `bench-checks` wrote, likewise.

    Raises:
        ConfigurationError: It cannot be written, or matplotlib is not installed.
    """
    page = Path(path)
    try:
        (page.parent / "img").mkdir(parents=True, exist_ok=True)
        plots = _plots(run, page)
        beside = figures_path is not None and Path(figures_path).resolve().parent == page.resolve().parent
        link = Path(figures_path).name if figures_path is not None and beside else None
        text = "\n\n".join(_parts(run, plots, link, signals, checks)) + "\n"
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The page cannot be written to {path!r}: {error.strerror}.") from error


def _parts(run: Run, plots: Sequence[str], link: str | None, signals: Any, checks: Any) -> Iterable[str]:
    yield "# Benchmarks"
    yield _intro(run, link)
    yield "## Aims"
    yield _aims((*aims_of(run.suites), *aims_of_signals(signals or {})))
    yield "## All suites"
    yield _summary(run)
    yield from (f"![Saved and lost]({plot})" for plot in plots[:1])
    yield from (f"`{name}` could not be measured: {_placeless(why)}" for name, why in run.failures.items())
    absent = absent_peers(run.suites)
    if absent:
        yield f"Left out, as the installed LiteLLM does not have them: {', '.join(map(label, absent))}."
    yield "## Suite by suite"
    yield from (f"![Cost and quality]({plot})" for plot in plots[1:])
    for suite in run.suites:
        yield from _suite(run, suite)
    if run.online:
        yield "## Prompt by prompt, from the score of one's own choice alone"
        for name, found in run.online.items():
            yield f"**{name}.** {online_notes(found)}"
            header, *rows = online_rows(found)
            yield table(header, rows)
    yield from signals_section(signals)
    yield from checks_section(checks)
    yield from _data(run)
    yield from _again(run)


def _intro(run: Run, link: str | None) -> str:
    settings = run.settings
    folds = any(suite.folds > 1 for suite in run.suites)
    how = (
        f"The rows of a suite are split into {settings.folds} folds by a hash of the prompt, and each fold "
        "is tested on what was fitted and set on the others"
        if folds
        else "Everything is fitted and set on the fit rows, and run on the test rows"
    )
    where = f" The same figures as data: [{link}]({link})." if link else ""
    return (
        "What policies save and lose on recorded answers of real models. `langchain-router bench` writes "
        f"this page whole; no figure in it is typed by hand.{where}\n\n"
        f"{how}. Nothing is tuned for a suite. Operating points are set to lose at most "
        f"{100 * settings.max_quality_loss:g} points, at a confidence of {settings.confidence:.0%} (seed "
        f"{settings.seed}). *Saved* is the share of the cost of the best single model, the one that did best "
        "on the fit rows; *lost* is its mean score less the policy's, in points (hundredths), with the 95 % "
        f"interval from resampling the test rows. **{OVER}** marks what lost more than allowed. A cascade's "
        "check sees the recorded answer, as it would see a live one, and every draft and second opinion is "
        "paid for. The oracle knows every score beforehand and chooses among single models without any loss."
    )


def _aims(aims: Sequence[Aim]) -> str:
    return table(("aim", "measured", ""), [(one.text, one.figure, f"**{one.verdict}**") for one in aims])


def _summary(run: Run) -> str:
    allowed = run.settings.max_quality_loss
    means = means_of(run.suites)
    shown = [name for name in _SUMMARISED if name in means]
    rows = []
    for place, suite in enumerate(run.suites, 1):
        found = [named(suite, name) for name in shown]
        cells = ["-" if one is None else both(one, allowed) for one in found]
        rows.append((f"{place}. {suite.name}", f"{suite.test_rows:,}", str(len(suite.models)), *cells))
    if len(run.suites) > 1:
        ends = [
            f"**{means[name]['cost_saved']:.1%} {points(means[name]['quality_lost'])}**" for name in shown
        ]
        rows.append(("**mean**", "", "", *ends))
    header = ("suite", "prompts", "models", *(f"{label(name)}: saved, lost" for name in shown))
    return table(header, rows, right=range(1, len(header)))


def _suite(run: Run, suite: SuiteFigures) -> Iterable[str]:
    allowed = run.settings.max_quality_loss
    yield f"### {suite.name}"
    yield fitted_on(suite)
    rows = [_row(one, allowed, is_policy=one in suite.policies) for one in figures_of(suite)]
    header = ("", "saved", "lost", "95 % interval", "escalated", "APGR", "set on the fit rows to")
    yield table(header, rows, right=range(1, 6))
    adaptive = named(suite, ADAPTIVE)
    if adaptive is not None:
        yield f"Who answers with {ADAPTIVE}: {shares(adaptive)}."
    limits = limits_of(suite, run.facts[suite.name], allowed)
    if limits:
        yield "What limits it:\n\n" + "\n".join(f"- {sentence}" for sentence in limits)


def _row(one: Figures, allowed: float, *, is_policy: bool) -> tuple[str, ...]:
    low, high = one.quality_lost_ci
    return (
        f"**{label(one.name)}**" if is_policy else label(one.name),
        f"{one.cost_saved:.1%}",
        f"{points(one.quality_lost)} {mark(one, allowed)}".rstrip(),
        f"{points(low)} to {points(high)}",
        f"{one.escalation_rate:.1%}",
        "" if one.apgr is None else f"{one.apgr:.3f}",
        one.operating_point,
    )


def _data(run: Run) -> Iterable[str]:
    yield "## The data, and what it cannot show"
    yield (
        "The answers were recorded by others and are no part of this project: they are read to be measured "
        "on, nothing that ships is fitted on them, and no prompt or answer is repeated here. Their licences "
        "differ; some sources allow no commercial use or state no licence."
    )
    rows = [
        (name, f"{facts.rows:,}", str(facts.models), *_shares_of(facts), source_of(name))
        for name, facts in run.facts.items()
        if name in {suite.name for suite in run.suites}
    ]
    header = ("suite", "prompts", "models", "recorded", "with text", "texts cut", "costs estimated", "source")
    yield table(header, rows, right=range(1, 7))
    yield (
        "- *Estimated* costs are tokens times a price list, some of its prices unverified; hidden reasoning "
        "is not in the tokens, so the models that reason cost more than this says.\n"
        "- Texts that were cut short, and answers without text, show a check less than a live one sees.\n"
        "- Most suites hold one kind of task, with its prompts alike, and single turns: traffic that mixes "
        "kinds is easier to route in part and harder in part. Measure on your own.\n"
        "- Some scores are a judge model's, with its known liking for long answers, or overlaps with a "
        "reference, not right or wrong.\n"
        "- Models are of the years in which the answers were recorded; gaps between today's are other gaps.\n"
        "- A small suite's interval is wide, and intervals tell of other prompts of the same kind alone: "
        "they come from resampling the test rows, not from fitting anew.\n"
        "- Baselines have no margin: they are set to lose on the fit rows just what is allowed, policies to "
        "lose that much at most at the confidence asked for. So compare curves, too; a curve's points have "
        "no margin either, and a policy's own point need not lie on its curve.\n"
        "- APGR ranks prompts by what is expected of both models, so that of adaptive is that of cost.\n"
        "- No constant is set for a data set, but those of the method (how many drafts, how strongly "
        "features count) were chosen while some of these suites were looked at, which flatters them a little."
    )


def _shares_of(facts: DataFacts) -> tuple[str, ...]:
    return tuple(f"{share:.0%}" for share in (facts.recorded, facts.with_text, facts.cut, facts.estimated))


def _again(run: Run) -> Iterable[str]:
    settings = run.settings
    limits = f"--max-quality-loss {settings.max_quality_loss:g} --confidence {settings.confidence:g}"
    yield "## How to run it again"
    yield (
        "```sh\nmake bench DATA=folder/of/recorded/answers\n```\n\n"
        "or, on files of your own, to fit on some and test on others:\n\n"
        "```sh\nlangchain-router bench --fit monday.jsonl --test tuesday.jsonl "
        f"{limits} --json out.json --plot out.png\n```\n\n"
        "or to split each file into folds:\n\n"
        f"```sh\nlangchain-router bench answers.jsonl --folds {settings.folds} {limits} --seed "
        f"{settings.seed}\n```\n\n"
        "One JSON object a line, any number of models, not every model for every prompt:\n\n"
        f"```json\n{_ROW}\n```\n\n"
        "`--online` adds how fast policies learn prompt by prompt. `--save DIR` keeps the fitted plans, for "
        "`AdaptivePolicy` to load. `--redraw out.json` shows figures again without measuring. The figures do "
        "not depend on the machine, but for the last digits of linear algebra."
    )


def _placeless(text: str) -> str:
    """Leave of every path the file's name alone."""
    return _PATH.sub(r"\1\2", text)


def _plots(run: Run, page: Path) -> list[str]:
    from langchain_router.evaluation.plans.plot import plot_curves, plot_run

    folder, stem = page.parent / "img", page.stem
    for old in folder.glob(f"{stem}-curves-*.png"):
        old.unlink()
    first = folder / f"{stem}.png"
    plot_run(run.suites, first, allowed=run.settings.max_quality_loss)
    made = [first]
    if len(run.suites) > 1:
        for start in range(0, len(run.suites), _CURVES_A_PLOT):
            made.append(folder / f"{stem}-curves-{start // _CURVES_A_PLOT + 1}.png")
            plot_curves(run.suites[start : start + _CURVES_A_PLOT], made[-1])
    for one in made:
        _shrink(one)
    return [f"img/{one.name}" for one in made]


def _shrink(path: str | os.PathLike[str]) -> None:
    """Give a plot a palette: lines and text need few colours, and the file becomes a third of its size."""
    from PIL import Image  # matplotlib brings it

    with Image.open(path) as image:
        small = image.convert("RGB").quantize(_COLOURS)
    small.save(path, optimize=True)
