"""Where everything lies in a store: paths, pure."""

from __future__ import annotations

import hashlib
import json
import re

from voxk8s import constants
from voxk8s.errors import InvalidUsage
from voxk8s.plan.model import Digest

_HEX = re.compile(r"[0-9a-f]{64}")
_SEGMENT = re.compile(r"[A-Za-z0-9._=@+,~ -]+")


def record_path(key: str) -> str:
    """Path of the record under a result key; raises InvalidUsage unless it is 64-hex."""
    return f"{constants.RECORDS_PREFIX}/{_split(key, 'result key')}"


def blob_path(digest: str) -> str:
    """Path of the blob with this SHA-256; raises InvalidUsage unless it is 64-hex."""
    return f"{constants.BLOBS_PREFIX}/{_split(digest, 'digest')}"


def pin_path(url: str, size: int, version: str) -> str:
    """Path of the remembered pin of an external input in one state."""
    image = json.dumps(["voxk8s-pin", url, size, version], ensure_ascii=True).encode()
    name = hashlib.sha256(image).hexdigest()
    return f"{constants.PINS_PREFIX}/{_split(name, 'pin')}"


def lease_path(key: str) -> str:
    """Path of the lease of a result key; raises InvalidUsage unless it is 64-hex."""
    return f"{constants.LEASES_PREFIX}/{_split(key, 'result key')}"


def quarantine_path(path: str, content: Digest) -> str:
    """Path below quarantine/ for the corrupt bytes of `path`; `content` tells finds apart."""
    return f"{constants.QUARANTINE_PREFIX}/{path}.{content[:16]}"


def run_path(path: str) -> str:
    """Path of a run's file below runs/; raises InvalidUsage for one that leaves it."""
    segments = path.split("/")
    if not all(_SEGMENT.fullmatch(part) and part.strip(".") for part in segments):
        raise InvalidUsage(f"{path!r} is no path of a run's file: plain names joined by / only")
    return f"{constants.RUNS_PREFIX}/{path}"


def _split(name: str, what: str) -> str:
    if not _HEX.fullmatch(name):
        raise InvalidUsage(f"{name!r} is no {what}: 64 lower-case hexadecimal digits are")
    return f"{name[:2]}/{name[2:]}"
