"""Takes out of a text what should not be kept: for those who store prompts at all.

Nothing here makes a text anonymous. It removes what has a shape of its own: addresses, numbers, keys. Names,
places and what people tell of themselves stay; give a redactor of your own where that matters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Redactor = Callable[[str], str]
"""Takes a text, returns it without what may not be stored."""

_KEY: Final = re.compile(
    r"\b(?:sk|pk|rk|tvly|gsk|hf|xai|glpat|npm|pypi|lsv2)[-_][A-Za-z0-9_\-]{12,200}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,200}|\bgithub_pat_[A-Za-z0-9_]{20,200}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_\-]{30,50}|\bxox[abeprs]-[A-Za-z0-9\-]{10,200}"
    r"|\beyJ[A-Za-z0-9_\-]{10,2000}\.[A-Za-z0-9_\-]{10,2000}\.[A-Za-z0-9_\-]{0,2000}"
    r"|(?i:\bbearer\s{1,3})[A-Za-z0-9._~+/\-]{12,500}"
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,20000}(?:-----END[^-]{0,40}-----)?"
)
_PASSWORD_IN_URL: Final = re.compile(r"(?<=://)[^\s/:@]{0,200}:[^\s/@]{1,200}(?=@)")
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,5}")
_CARD: Final = re.compile(r"(?<![\d.])\d(?:[ \-]?\d){12,18}(?![\d.])")
_PHONE: Final = re.compile(
    r"(?<![\w.])(?:\+|00)\d(?:[ \-./()]{0,2}\d){6,13}(?!\w)|(?<![\w.])\(?\d{3}\)?[ \-.]\d{3}[ \-.]\d{4}(?!\w)"
)
_LUHN_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def redact(text: str) -> str:
    """Return a text without e-mail addresses, phone and card numbers, and keys of well-known shapes.

    The default redactor. It looks at shapes only, in time that grows with the length of the text.

    Example:
        >>> redact("Write to ann@example.org or call +49 170 1234567.")
        'Write to [email] or call [phone].'
    """
    text = _PRIVATE_KEY.sub("[key]", text)
    text = _PASSWORD_IN_URL.sub("[key]", text)
    text = _KEY.sub("[key]", text)
    text = _EMAIL.sub("[email]", text)
    text = _CARD.sub(lambda found: "[card]" if _is_card(found.group()) else found.group(), text)
    return _PHONE.sub("[phone]", text)


def _is_card(text: str) -> bool:
    """Say whether the digits have the check digit of a card, as one in ten other numbers does."""
    digits = [int(one) for one in text if one.isdigit()]
    total = sum(_LUHN_DOUBLED[one] if place % 2 else one for place, one in enumerate(reversed(digits)))
    return total % 10 == 0
