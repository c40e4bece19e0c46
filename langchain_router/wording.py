"""How errors show what a user gave in place of something else."""

from __future__ import annotations


def shown(given: object) -> str:
    """Return what an error says it got, for what stands in the user's own code.

    Prefer `kind_of` for what may hold a prompt or an answer.

    Example:
        >>> shown(2.0), shown("two"), shown([1]), shown(dict)
        ('2.0', "'two'", 'a list', 'the class dict; write dict(...)')
    """
    return repr(given) if isinstance(given, (bool, int, float, str)) else kind_of(given)


def kind_of(given: object) -> str:
    """Return what kind of thing was given; of a class, what to write instead.

    A chat model's repr can carry credentials, and a message's the prompt, so no value is shown.

    Example:
        >>> kind_of("two"), kind_of({"a": 1}), kind_of(None)
        ('a text', 'a dict', 'None')
    """
    if isinstance(given, type):
        return f"the class {given.__name__}; write {given.__name__}(...)"
    if given is None:
        return "None"
    name = "text" if isinstance(given, str) else type(given).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
