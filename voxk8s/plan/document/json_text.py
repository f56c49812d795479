"""JSON text before and beside its decoder: UTF-8, where a syntax error is, keys that stand twice.

The decoder keeps the last of two equal keys without a word, so that a slip of the pen would give
another plan. A second look by the scanner of the standard library costs a seventh of a load.
"""

from __future__ import annotations

import json
import re

from voxk8s.errors import InvalidPlan
from voxk8s.plan.suggest import clip

_BYTE = re.compile(r"^JSON is malformed: (?P<what>.*) \(byte (?P<byte>\d+)\)$", re.DOTALL)
_MARK = b"\xef\xbb\xbf"


def to_bytes(source: bytes | str) -> bytes:
    """Give a text as UTF-8 without a byte order mark; raises InvalidPlan for what is no UTF-8."""
    try:
        if isinstance(source, str):
            data = source.encode()
        else:
            source.decode()
            data = source
    except UnicodeEncodeError as error:
        raise InvalidPlan("the document has a lone surrogate") from error
    except UnicodeDecodeError as error:
        raise InvalidPlan(f"the document is not UTF-8: byte {error.start} is wrong") from error
    return data.removeprefix(_MARK)


def syntax_error_message(data: bytes, text: str) -> str:
    """Say what a decoder found, with line and column instead of a number of bytes."""
    found = _BYTE.match(text)
    if found is None:
        return f"the document is not JSON: {text[:1].lower()}{text[1:]}"
    before = data[: int(found["byte"])]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return f"the document is not JSON: {found['what']} (line {line}, column {column})"


def check_duplicate_keys(data: bytes) -> None:
    """Raise InvalidPlan when an object has a key twice; `data` is JSON that could be decoded."""
    twice: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            keys = [key for key, _ in pairs]
            twice.append(next(key for place, key in enumerate(keys) if key in keys[:place]))
        if twice:
            # Objects end from the inside out: the next one with an id is the node.
            owner = next((value for key, value in pairs if key == "id"), None)
            if isinstance(owner, str):
                raise InvalidPlan(f"the key {clip(twice[0])} stands twice at {clip(owner)}")

    json.loads(data, object_pairs_hook=look, parse_int=str, parse_float=str)
    if twice:
        raise InvalidPlan(f"the key {clip(twice[0])} stands twice in one object")
