"""The paths of everything in a store. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from voxk8s import constants
from voxk8s.errors import InvalidUsage
from voxk8s.plan.model import Digest

_HEX = re.compile(r"[0-9a-f]{64}")
_SEGMENT = re.compile(r"[A-Za-z0-9._=@+,~ -]+")
DOMAIN_FOLDERS: Final = tuple(
    prefix.partition("/")[0]
    for prefix in (
        constants.RECORDS_PREFIX,
        constants.BLOBS_PREFIX,
        constants.RUNS_PREFIX,
        constants.UPLOADS_PREFIX,
        constants.PINS_PREFIX,
        constants.QUARANTINE_PREFIX,
        constants.LEASES_PREFIX,
        constants.COSTS_PREFIX,
        constants.PROBE_PATH,
    )
)
"""Folders of a trust domain; `shared`, at the root, has those of other domains beside them."""


def is_name(text: str) -> bool:
    """Whether a text can be a result key or a digest: 64 lower-case hexadecimal digits."""
    return _HEX.fullmatch(text) is not None


def record_path(key: str) -> str:
    """Return the path of the record under a result key; raises InvalidUsage for a bad key."""
    return f"{constants.RECORDS_PREFIX}/{_split(key, 'result key')}"


def blob_path(digest: str) -> str:
    """Return the path of the blob with this SHA-256; raises InvalidUsage unless it is 64-hex."""
    return f"{constants.BLOBS_PREFIX}/{_split(digest, 'digest')}"


def pin_path(url: str, size: int, version: str, server: str = "") -> str:
    """Return the path of the remembered pin of an input in one state.

    `server` names the server of a URL that does not name it itself.
    """
    parts = ["voxk8s-pin", url, size, version, *([server] if server else [])]
    image = json.dumps(parts, ensure_ascii=True).encode()
    name = hashlib.sha256(image).hexdigest()
    return f"{constants.PINS_PREFIX}/{_split(name, 'pin')}"


def lease_path(key: str) -> str:
    """Return the path of the lease of a result key; raises InvalidUsage for a bad key."""
    return f"{constants.LEASES_PREFIX}/{_split(key, 'result key')}"


def quarantine_path(path: str, content: Digest) -> str:
    """Return the path in quarantine/ for the corrupt bytes of `path` whose digest is `content`."""
    return f"{constants.QUARANTINE_PREFIX}/{path}.{content[:16]}"


def run_path(path: str) -> str:
    """Return the path of a run's file below runs/; raises InvalidUsage for one that leaves it."""
    segments = path.split("/")
    if not all(_SEGMENT.fullmatch(part) and part.strip(".") for part in segments):
        raise InvalidUsage(f"expected a path of plain names joined by /, got {path!r}")
    return f"{constants.RUNS_PREFIX}/{path}"


def _split(name: str, what: str) -> str:
    if not is_name(name):
        raise InvalidUsage(f"expected a {what} of 64 lower-case hexadecimal digits, got {name!r}")
    return f"{name[:2]}/{name[2:]}"
