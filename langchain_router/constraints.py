"""What a caller allows: budgets, places and abilities that no policy may trade away."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from langchain_router.exceptions import ConfigurationError

Capability = Literal[
    "tool_calling",
    "structured_output",
    "image_inputs",
    "pdf_inputs",
    "audio_inputs",
    "video_inputs",
]
"""What a model may be required to do, by the names of LangChain's `ModelProfile`."""

CAPABILITIES: frozenset[str] = frozenset(get_args(Capability))

_CAPABILITY_ALIASES = {
    "tools": "tool_calling",
    "vision": "image_inputs",
    "images": "image_inputs",
    "json_schema": "structured_output",
    "pdf": "pdf_inputs",
    "audio": "audio_inputs",
    "video": "video_inputs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Hard limits for a request. A candidate that cannot be shown to meet them may not answer.

    Given when the router is built, per call (`router.invoke(x, max_cost_usd=0.01)`), through
    `config["configurable"]`, or as a narrowed copy (`router.constrained(regions={"eu"})`). Several
    sets of constraints are combined by `narrowed`: a later one can tighten an earlier one, never widen it.
    For a wish that may yield when nobody meets it, use the policy's own threshold instead.

    Args:
        max_cost_usd: Most that one call may cost by the estimate (prompt tokens plus expected answer
            tokens, or plus `max_tokens` where the call sets it), in US dollars, > 0.
        max_latency_s: Longest typical time to a complete answer, in seconds, > 0.
        min_quality: Least predicted quality for this intent and complexity, 0..1.
        require: Abilities beyond those that the request itself shows, e.g. `{"image_inputs"}`;
            `"tools"` and `"vision"` are understood.
        providers: The only providers that may see the request, e.g. `{"openai", "azure"}`.
        regions: The only regions that may process it, e.g. `{"eu"}`.
        tags: Data tags that a candidate must all bear, e.g. `{"hipaa"}`.

    Raises:
        ConfigurationError: A value is out of range, of the wrong type, or names an unknown ability.

    Example:
        >>> Constraints(regions={"eu", "us"}).narrowed(Constraints(regions={"eu"})).regions
        frozenset({'eu'})
    """

    max_cost_usd: float | None = None
    max_latency_s: float | None = None
    min_quality: float | None = None
    require: AbstractSet[str] = frozenset()
    providers: AbstractSet[str] | None = None
    regions: AbstractSet[str] | None = None
    tags: AbstractSet[str] = frozenset()

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "max_cost_usd", _number("max_cost_usd", self.max_cost_usd, low=0.0, low_open=True))
        set_(self, "max_latency_s", _number("max_latency_s", self.max_latency_s, low=0.0, low_open=True))
        set_(self, "min_quality", _number("min_quality", self.min_quality, low=0.0, high=1.0))
        set_(self, "require", capabilities("require", self.require))
        set_(self, "tags", names("tags", self.tags))
        for place in ("providers", "regions"):
            given = getattr(self, place)
            if given is not None:
                set_(self, place, names(place, given))

    @classmethod
    def of(cls, given: Constraints | Mapping[str, Any] | None) -> Constraints:
        """Accept a `Constraints`, a mapping of its fields, or nothing.

        Raises:
            ConfigurationError: The mapping has a key that is not a constraint.
        """
        if isinstance(given, cls):
            return given
        if given is None:
            return NO_CONSTRAINTS
        if not isinstance(given, Mapping):
            raise ConfigurationError(
                f"constraints must be a Constraints or a mapping of its fields, got {type(given).__name__}."
            )
        unknown = next((name for name in given if name not in CONSTRAINT_NAMES), None)
        if unknown is not None:
            near = difflib.get_close_matches(str(unknown), CONSTRAINT_NAMES, n=1)
            meant = f"did you mean {near[0]!r}? The" if near else "the"
            raise ConfigurationError(
                f"{unknown!r} is not a constraint; {meant} constraints are "
                f"{', '.join(sorted(CONSTRAINT_NAMES))}."
            )
        return cls(**given) if given else NO_CONSTRAINTS

    def narrowed(self, other: Constraints) -> Constraints:
        """Return constraints that hold whenever both of these hold."""
        if other is NO_CONSTRAINTS:
            return self
        return Constraints(
            max_cost_usd=_least(self.max_cost_usd, other.max_cost_usd),
            max_latency_s=_least(self.max_latency_s, other.max_latency_s),
            min_quality=_most(self.min_quality, other.min_quality),
            require=self.require | other.require,
            providers=_common(self.providers, other.providers),
            regions=_common(self.regions, other.regions),
            tags=self.tags | other.tags,
        )

    def reasons_against_place(
        self, *, provider: str | None, region: str | None, tags: AbstractSet[str]
    ) -> Iterator[str]:
        """Yield why a request under these constraints may not be sent to a place; nothing when it may.

        Whatever sees a prompt is such a place: a candidate, and a model that classifies.

        Args:
            provider: Who would see the request, or None when not stated.
            region: Where it would be processed, or None when not stated.
            tags: Data tags that the place bears.
        """
        for what, value, allowed in (
            ("provider", provider, self.providers),
            ("region", region, self.regions),
        ):
            if allowed is None:
                continue
            only = ", ".join(sorted(allowed))
            if not allowed:
                yield f"has no {what} to be at: the {what}s allowed have nothing in common"
            elif value is None:
                yield f"has no stated {what}, and only {only} is allowed (set {what}= on the Candidate)"
            elif value not in allowed:
                yield f"is at {what} {value!r}, and only {only} is allowed"
        missing = self.tags - tags
        if missing:
            yield f"lacks the tag {', '.join(sorted(missing))}"


CONSTRAINT_NAMES: frozenset[str] = frozenset(f.name for f in fields(Constraints))


def take_constraints(options: dict[str, Any]) -> Constraints:
    """Remove the constraints from call options and return them.

    A key that is almost a constraint is refused: a limit that is silently ignored is worse than an error.

    Args:
        options: Keyword arguments of a call; those that are constraints are removed in place.

    Raises:
        ConfigurationError: A key is one slip away from a constraint, such as `max_cost` or `region`.
    """
    given = {name: options.pop(name) for name in CONSTRAINT_NAMES & options.keys()}
    refuse_misspelt(options)
    return Constraints.of(given)


def constraints_in_config(configurable: Mapping[str, Any]) -> Constraints:
    """Return the constraints in a config's `configurable`, which the whole application shares.

    A name that is almost a constraint is refused when it bears a number or a collection, as constraints do;
    a plain string, such as `{"region": "eu-central-1"}`, is left to whoever else it is for. A mapping under
    `"router_constraints"` is for the router alone: there every slip is refused.

    Raises:
        ConfigurationError: A constraint is malformed or misspelt.
    """
    plain = {name: configurable[name] for name in CONSTRAINT_NAMES & configurable.keys()}
    refuse_misspelt(
        name
        for name, value in configurable.items()
        if isinstance(value, (int, float, list, tuple, set, frozenset)) and name not in CONSTRAINT_NAMES
    )
    return Constraints.of(plain).narrowed(Constraints.of(configurable.get("router_constraints")))


def refuse_misspelt(names_given: Iterable[object]) -> None:
    """Refuse a name that is almost a constraint.

    Raises:
        ConfigurationError: It names the one that is meant.
    """
    for name in names_given:
        near = _nearly_a_constraint(str(name))
        if near is not None and near != name:
            raise ConfigurationError(f"{name!r} is not a constraint; did you mean {near!r}?")


@functools.lru_cache(maxsize=1024)
def _nearly_a_constraint(name: str) -> str | None:
    return next(iter(difflib.get_close_matches(name, CONSTRAINT_NAMES, n=1, cutoff=0.8)), None)


def capabilities(what: str, given: Iterable[str] | str) -> frozenset[str]:
    """Return capability names in their canonical form.

    Raises:
        ConfigurationError: A name is not a capability.
    """
    result = {_CAPABILITY_ALIASES.get(name, name) for name in names(what, given)}
    unknown = sorted(result - CAPABILITIES)
    if unknown:
        raise ConfigurationError(
            f"{what} holds {unknown[0]!r}, which is not a capability. "
            f"Use {', '.join(sorted(CAPABILITIES | _CAPABILITY_ALIASES.keys()))}."
        )
    return frozenset(result)


def names(what: str, given: Iterable[str] | str) -> frozenset[str]:
    """Return a set of non-empty strings; a lone string is one name, not its letters.

    Raises:
        ConfigurationError: It is not a collection of non-empty strings.
    """
    if isinstance(given, str):
        given = (given,)
    if not isinstance(given, Iterable):
        raise ConfigurationError(f"{what} must be a collection of names, got {given!r}.")
    listed = list(given)
    for name in listed:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"{what} must hold non-empty strings, got {name!r}.")
    return frozenset(listed)


def _number(
    what: str, value: float | None, *, low: float, high: float = math.inf, low_open: bool = False
) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigurationError(f"{what} must be a number, got {value!r}.")
    inside = low < value <= high if low_open else low <= value <= high
    if not inside or math.isinf(value):  # NaN fails every comparison, so it lands here too
        span = "above 0 and finite" if low_open else f"from {low:g} to {high:g}"
        raise ConfigurationError(f"{what} must be {span}, got {value!r}. Leave it out for no limit.")
    return float(value)


def _least(a: float | None, b: float | None) -> float | None:
    return min((x for x in (a, b) if x is not None), default=None)


def _most(a: float | None, b: float | None) -> float | None:
    return max((x for x in (a, b) if x is not None), default=None)


def _common(a: AbstractSet[str] | None, b: AbstractSet[str] | None) -> AbstractSet[str] | None:
    if a is None:
        return b
    return a if b is None else a & b


NO_CONSTRAINTS = Constraints()
"""What most calls give; one object, so that most calls need not combine anything."""
