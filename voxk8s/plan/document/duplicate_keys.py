"""Finds duplicate keys in JSON documents.

A decoder keeps the last of two equal keys, so that a typing error would silently change a plan. A
text has no duplicate key if it has as many keys as its document has members, and the keys of a text
are counted without reading it: each is a quote followed by a colon. Only where that does not settle
it, a second pass by the standard library, which takes as long as all else, finds the key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from msgspec import UNSET

from voxk8s.errors import InvalidPlan
from voxk8s.plan.document.wire import (
    TOO_DEEP,
    ConstantForm,
    Document,
    NodeForm,
    OperationForm,
    ParameterForm,
)
from voxk8s.plan.suggest import clip

_COLONS_APART: Final = (b" :", b"\t:", b"\n:", b"\r:")


def check_duplicate_keys(data: bytes, document: Document) -> None:
    """Raise InvalidPlan when an object of a text has a duplicate key.

    `data` is the JSON from which `document` was decoded.
    """
    # A string may contain `\":`: then the count is too large, and the second pass decides.
    keys = data.count(b'":')
    apart = data.count(b":") > keys and any(colon in data for colon in _COLONS_APART)
    if apart or keys != _count_members(document):
        _find_duplicate_key(data)


def _count_members(document: Document) -> int:
    imports = document.imports is not UNSET
    return 2 + imports + 3 * len(document.goals) + _count_in_nodes(document.nodes)


def _count_in_nodes(nodes: Iterable[NodeForm]) -> int:
    """Return the number of members of nodes and of the objects in them."""
    count = 0
    for form in nodes:
        if isinstance(form, OperationForm):
            arguments = form.arguments
            count += 3 if arguments is UNSET else 4 + len(arguments)
            count += form.buffer_id is not UNSET
        elif isinstance(form, ConstantForm):
            given = (form.value, form.float, form.int, form.buffer_id)
            count += 2 + sum([each is not UNSET for each in given])
        elif isinstance(form, ParameterForm):
            count += 3
        else:
            captures = form.captures
            count += 5 if captures is UNSET else 6 + len(captures)
            count += _count_in_nodes(form.nodes)
    return count


def _find_duplicate_key(data: bytes) -> None:
    """Raise InvalidPlan that names the first duplicate key of a JSON text, if it has one."""
    duplicates: list[str] = []

    def check(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs if len(dict(pairs)) != len(pairs) else ():
            if key in seen:
                duplicates.append(key)
                break
            seen.add(key)
        if duplicates:
            # Objects end from the inside out: the next one with an id is the node.
            owner = next((value for key, value in pairs if key == "id"), None)
            if isinstance(owner, str):
                raise InvalidPlan(f"duplicate key {clip(duplicates[0])} in {clip(owner)}")

    try:
        json.loads(data, object_pairs_hook=check, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise InvalidPlan(TOO_DEEP) from error
    if duplicates:
        raise InvalidPlan(f"duplicate key {clip(duplicates[0])} in one object")
