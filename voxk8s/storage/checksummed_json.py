"""Small JSON documents that carry a checksum of themselves.

The seal is the last member, `"seal":"<sha256>"`, over the bytes before it; the whole stays plain
JSON. So a flipped bit anywhere in a record is seen, whatever the document means.
"""

from __future__ import annotations

import hashlib

from voxk8s.errors import CorruptBlob

_BEFORE = b',"seal":"'
_AFTER = b'"}'
_LENGTH = len(_BEFORE) + 64 + len(_AFTER)


def add_checksum(document: bytes) -> bytes:
    """Add the seal to a JSON object that has at least one member."""
    body = document[:-1]
    return body + _BEFORE + hashlib.sha256(body).hexdigest().encode() + _AFTER


def verify_checksum(data: bytes) -> None:
    """Raise CorruptBlob unless `data` is as it was sealed."""
    body, tail = data[:-_LENGTH], data[-_LENGTH:]
    expected = _BEFORE + hashlib.sha256(body).hexdigest().encode() + _AFTER
    if not body or tail != expected:
        raise CorruptBlob("the document does not match its seal: it was cut or changed")
