"""Content-Security-Policies of pages that have all in them and reach nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence


def content_policy(style: str, scripts: Sequence[str], more: Sequence[str]) -> str:
    """Return a policy that permits one style sheet and some scripts by the digests of their texts.

    `more` are further directives. All that no directive permits is refused.
    """
    allowed = " ".join(map(_digest, scripts))
    return "; ".join([
        "default-src 'none'",
        *more,
        f"style-src {_digest(style)}",
        f"script-src {allowed}",
        "base-uri 'none'",
        "form-action 'none'",
    ])  # fmt: skip


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
