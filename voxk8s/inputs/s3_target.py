"""The object that a saved file is copied to: one function for those who check and who write.

The S3 client cuts `?versionId=` off, strips `s3://` from what follows `s3://`, and takes some
buckets for access points; servers clean paths, or decode them once more. A key in which any of that
could happen is refused, so that what is checked is what is written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_URL: Final = re.compile(r"[sS]3://([a-z0-9A-Z][a-zA-Z0-9._-]{1,62})(?:/(.*))?", re.DOTALL)
_DECODINGS: Final = 3
"""More than any server does; a name that needs more is refused."""


@dataclass(frozen=True, slots=True)
class S3Target:
    """A bucket, and the parts of a key between its slashes: none is empty or leads elsewhere."""

    bucket: str
    parts: tuple[str, ...]

    @property
    def path(self) -> str:
        """The bucket and the key, as the S3 client takes them."""
        return "/".join((self.bucket, *self.parts))

    @property
    def canonical(self) -> tuple[str, ...]:
        """The parts as the most forgiving server might see them, to be compared."""
        return tuple(_canonical(part) for part in self.parts)


def s3_target(folder: str, name: str = "") -> S3Target:
    """Return the object with a name below a folder; raises ValueError with the reason."""
    url = f"{folder}/{name}"
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("expected a URL s3://bucket/folder")
    key = found[2] or ""
    parts = tuple(part for part in key.split("/") if part not in ("", "."))
    for part in parts:
        decoded = _decoded(part)
        if decoded.strip() in (".", "..") or re.search(
            r"[/\\]", decoded if decoded != part else ""
        ):
            raise ValueError(f"{part!r} leads to another folder")
        if "\\" in part:
            raise ValueError(f"{part!r} has a backslash")
        if part.endswith(":") and key.count("//"):
            raise ValueError(f"{part!r} looks like a URL in a URL")
        if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in decoded):
            raise ValueError(f"{part!r} has control characters")
    if "?versionid=" in _decoded(key).casefold():
        raise ValueError("a name must not contain ?versionId=")
    return S3Target(found[1], parts)


def _decoded(text: str) -> str:
    for _ in range(_DECODINGS):
        text = unquote(text)
    return text


def _canonical(part: str) -> str:
    return unicodedata.normalize("NFKC", _decoded(part)).casefold().strip()
