"""Policies of pages: only what is in the page, by the digest of its text."""

from __future__ import annotations

import base64
import hashlib

from voxk8s.content_policy import content_policy


def test_texts_are_permitted_by_their_digests() -> None:
    """Style and scripts are named by SHA-256 in base64, each in its directive, and nothing else."""
    style, first, second = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
        for text in (b"a{}", b"x()", b"y()")
    ]

    directives = content_policy("a{}", ["x()", "y()"], ["img-src data:"]).split("; ")

    assert directives == [
        "default-src 'none'",
        "img-src data:",
        f"style-src {style}",
        f"script-src {first} {second}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
