"""What the default redactor takes out, and what it leaves."""

from __future__ import annotations

import time

import pytest

from langchain_router.outcomes.redaction import redact

_KEYS = [
    "sk-proj-" + "a1B2c3D4" * 4,
    "sk-ant-api03-" + "a1B2c3D4" * 4,
    "gh" + "p_" + "a1B2c3D4" * 5,
    "AKIA" + "ABCDEFGH12345678",
    "AIza" + "a1B2c3D4" * 4 + "abc",
    "xoxb-" + "1234567890-abcdef",
    "eyJ" + "a1B2c3D4" * 3 + "." + "a1B2c3D4" * 3 + "." + "a1B2",
    "Bearer " + "a1B2c3D4" * 3,
    "-----BEGIN RSA " + "PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("key", _KEYS, ids=range(len(_KEYS)))
def test_keys_are_taken_out(key: str) -> None:
    assert redact(f"use {key}, please") == "use [key], please"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ann.b+c@mail.example.org!", "[email]!"),
        ("call +49 (0)170 1234567 now", "call [phone] now"),
        ("or 555-123-4567.", "or [phone]."),
        ("card 4111 1111 1111 1111 ok", "card [card] ok"),
        ("postgresql://ann:secret@example.org/x", "postgresql://[key]@example.org/x"),
    ],
)
def test_addresses_and_numbers_are_taken_out(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "In 2024, 1234567 people used version 1.2.3.4 of it.",
        "order 4111 1111 1111 1112",
        "def f(a, b): return a @ b",
        "it costs 1,234.56 and 3.14159265358979",
        "task-force, sk-8, skilled",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "a@", "a.", "-----BEGIN " + "PRIVATE KEY-----", "eyJ.", "://:", "+1"]
)
def test_its_time_grows_with_the_length_only(piece: str) -> None:
    started = time.process_time()
    redact(piece * (100_000 // len(piece)))
    assert time.process_time() - started < 2
