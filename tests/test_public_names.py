"""The public names: all there, all lazy, all listed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import langchain_router


@pytest.mark.parametrize("name", langchain_router.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(langchain_router, name) is not None
    assert name in dir(langchain_router)


def test_the_list_of_public_names_is_sorted_and_without_repeats() -> None:
    constants_classes_then_the_rest = sorted(
        langchain_router.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert langchain_router.__all__ == constants_classes_then_the_rest
    assert len(set(langchain_router.__all__)) == len(langchain_router.__all__)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'langchain_router' has no attribute 'ChatRooter'"):
        _ = langchain_router.ChatRooter


def test_importing_the_package_imports_nothing_of_weight() -> None:
    code = "import sys, langchain_router; print(any(m.startswith('langchain_core') for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "False"
