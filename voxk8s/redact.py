"""Texts without credentials, and without characters that a terminal or a reader would obey."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"
_USER: Final = re.compile(
    # Begins where a word does: else each of its characters would be tried as the first.
    r"(?<![A-Za-z0-9+.-])([A-Za-z0-9+.-]++://)[^\s/?#'\"<>@]*(?:@[^\s/?#'\"<>@]*)*@"
)
"""The user and password of a URL; a password may have an @ itself."""
_SECRETS: Final = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|signature|sig|auth(?:orization)?"
    r"|(?:api|access|private|account|shared)[-_.]?key(?:id)?|awsaccesskeyid|key|session|jwt"
)
_QUERY: Final = re.compile(
    rf"([?&;](?:[\w.%-]*[-_.])?(?:{_SECRETS})=)[^&;\s#'\"<>]+", re.IGNORECASE
)
_SECRET_NAME: Final = re.compile(
    r"pass(?!age|ive|es$|$)|^pass$|pwd|secret|token|credential|signature|auth(?!or)|jwt"
    r"|(?:api|access|private|account|shared|session|encryption)[-_.]?key",
    re.IGNORECASE,
)
_KEPT: Final = "\n\t"
_ORDERS: Final = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *(0x61C, 0x2028, 0x2029),  # the last two break lines
    *range(0x202A, 0x202F),  # these and the next turn the direction of text around
    *range(0x2066, 0x206A),
    *range(0xE0000, 0xE0080),  # invisible copies of ASCII
)
_ESCAPES: Final = {code: repr(chr(code))[1:-1] for code in _ORDERS if chr(code) not in _KEPT}
_JSON_ESCAPES: Final = {code: f"\\u{code:04x}" for code in _ORDERS if 0x7F <= code < 0x10000}


def redact(text: str) -> str:
    """Return a text without the credentials of URLs in it: users, passwords, signatures, tokens."""
    if "://" in text:
        text = _USER.sub(rf"\1{HIDDEN}@", text)
    if "=" in text:
        text = _QUERY.sub(rf"\g<1>{HIDDEN}", text)
    return text


def shown_parameter(name: str, value: str) -> str:
    """Return the value of a parameter for a report: hidden if its name is that of a secret."""
    return HIDDEN if _SECRET_NAME.search(name) else redact(value)


def visible(text: str) -> str:
    """Return a text with control characters escaped, and those that change its direction.

    Line breaks and tabs are kept.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_ESCAPES)


def visible_json(text: str) -> str:
    """Return a JSON text that means the same, with such characters escaped in its strings."""
    return text if text.isascii() else text.translate(_JSON_ESCAPES)
