"""JSON documents as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from voxk8s.errors import InputUnavailable
from voxk8s.formats import sniff
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.table import decode_table, is_table

if TYPE_CHECKING:
    from voxk8s.values import Value


def is_document(url: str, path: str) -> bool:
    """Whether a file is a JSON document or a table, not compressed; raises InputUnavailable."""
    head = sniff.read_head(path)
    if is_table(url) and not sniff.is_binary(head):
        return True
    return not sniff.is_gzip(head) and sniff.sniff(url, head) is sniff.JSON


def decode_document(url: str, source: str | bytes, limits: DecodeLimits) -> Value:
    """Return the value of a document, given by its path or its bytes; raises InputUnavailable."""
    if isinstance(source, str):
        with open(source, "rb") as file:
            source = file.read(limits.largest + 1)
    limits.check_document(url, source)
    if is_table(url):
        return decode_table(url, source)
    try:
        value: Value = msgspec.json.decode(source)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputUnavailable(f"input {url}: not a JSON document: {error}") from error
    return value
