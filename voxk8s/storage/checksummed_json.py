"""Small JSON documents that contain their own checksum.

The last member, `"seal":"<sha256>"`, is the SHA-256 of the bytes before it; the whole stays plain
JSON. So a flipped bit anywhere in a record is detected.
"""

from __future__ import annotations

import hashlib

from voxk8s.errors import CorruptBlob

_BEFORE = b',"seal":"'
_AFTER = b'"}'
_LENGTH = len(_BEFORE) + 64 + len(_AFTER)


def add_checksum(document: bytes) -> bytes:
    """Return a JSON object, of at least one member, with its checksum."""
    body = document[:-1]
    return body + _BEFORE + hashlib.sha256(body).hexdigest().encode() + _AFTER


def verify_checksum(data: bytes) -> None:
    """Raise CorruptBlob unless `data` has the checksum that it contains."""
    body, tail = data[:-_LENGTH], data[-_LENGTH:]
    expected = _BEFORE + hashlib.sha256(body).hexdigest().encode() + _AFTER
    if not body or tail != expected:
        raise CorruptBlob("the document does not match its checksum: it was truncated or changed")
