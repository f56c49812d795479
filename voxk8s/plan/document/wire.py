"""The wire form of plans: the structure of documents, decoded from JSON and from mappings.

Integers of up to 4,300 digits are exact in documents. A constant is written as `value` or, where a
JSON library on the way would change a number, in an exact form: `float` or `int` with the text of
the number. Members that may be absent are UNSET then, so that the keys of a text can be counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal, NoReturn

import msgspec
from msgspec import UNSET, UnsetType

from voxk8s.errors import InvalidPlan
from voxk8s.plan.model import BufferId, Scalar

_JSON_ERROR = re.compile(r"^JSON is malformed: (?P<what>.*) \(byte (?P<byte>\d+)\)$", re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PATH = re.compile(r"^(?P<message>.*?)(?: - at (?:`key` in )?`(?P<path>[^`]*)`)?$", re.DOTALL)
TOO_DEEP = "the document is nested too deeply; a plan needs few levels besides its loops"
"""Message for documents at which a decoder reaches the limit of recursion."""


class ConstantForm(
    msgspec.Struct, forbid_unknown_fields=True, gc=False, tag="constant", tag_field="type"
):
    """A constant: `value`, or one of the exact forms."""

    id: str
    value: Scalar | UnsetType = UNSET
    float: str | UnsetType = UNSET
    int: str | UnsetType = UNSET
    buffer_id: BufferId | UnsetType | None = UNSET


class OperationForm(msgspec.Struct, forbid_unknown_fields=True, tag="operation", tag_field="type"):
    """An operation; argument keys are "0" to "n-1"."""

    id: str
    operator: str
    arguments: dict[str, str] | UnsetType = UNSET
    buffer_id: BufferId | UnsetType | None = UNSET


class ParameterForm(
    msgspec.Struct, forbid_unknown_fields=True, gc=False, tag="parameter", tag_field="type"
):
    """A placeholder in a closure's body."""

    id: str
    name: str


class ClosureForm(
    msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag="closure", tag_field="type"
):
    """A loop's body with nodes of its own."""

    id: str
    variable: str
    captures: dict[str, str] | UnsetType = UNSET
    nodes: list[NodeForm]
    result: str


NodeForm = ConstantForm | OperationForm | ParameterForm | ClosureForm


class GoalForm(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A goal."""

    operation: Literal["print", "save"]
    id: str
    name: str


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """A whole plan document."""

    nodes: list[NodeForm]
    goals: list[GoalForm]
    imports: list[str] | UnsetType = UNSET


_decoder = msgspec.json.Decoder(Document)


def read_json(data: bytes) -> Document:
    """Decode a JSON document; raises InvalidPlan with the path of the error."""
    try:
        document = _decoder.decode(data)
    except msgspec.ValidationError as error:
        _raise_invalid(error)
    except RecursionError as error:
        raise InvalidPlan(TOO_DEEP) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidPlan(_syntax_error_message(data, str(error))) from error
    return document


def read_lenient(source: bytes) -> Document | None:
    """Decode JSON extended by NaN, infinities and lone surrogates; None for other text.

    The check of scalars, which knows their path, rejects them.
    """
    try:
        return read_mapping(json.loads(source))
    except (ValueError, RecursionError):
        return None


def read_mapping(source: Mapping[str, object]) -> Document:
    """Convert a document that consists of Python objects already."""
    try:
        return msgspec.convert(source, type=Document)
    except msgspec.ValidationError as error:
        _raise_invalid(error)
    except RecursionError as error:
        raise InvalidPlan(TOO_DEEP) from error


def _raise_invalid(error: msgspec.ValidationError) -> NoReturn:
    """Raise InvalidPlan with the message and the path of msgspec's error."""
    found = _PATH.match(str(error))
    message, path = (found["message"], found["path"]) if found else (str(error), None)
    message = _lower(message)
    if message == "number out of range":
        message = "a number must be finite"
    raise InvalidPlan(message.replace("`", "'"), path or "$") from error


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def to_bytes(source: bytes | str) -> bytes:
    """Return a text as UTF-8 without a byte order mark; raises InvalidPlan for other encodings."""
    try:
        if isinstance(source, str):
            data = source.encode()
        else:
            source.decode()
            data = source
    except UnicodeEncodeError as error:
        raise InvalidPlan("the document has a lone surrogate") from error
    except UnicodeDecodeError as error:
        raise InvalidPlan(f"the document is not UTF-8: byte {error.start} is invalid") from error
    return data.removeprefix(_BYTE_ORDER_MARK)


def _syntax_error_message(data: bytes, text: str) -> str:
    """Return a decoder's message with line and column instead of a byte offset."""
    found = _JSON_ERROR.match(text)
    if found is None:
        return f"the document is not JSON: {_lower(text)}"
    before = data[: int(found["byte"])]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return f"the document is not JSON: {found['what']} (line {line}, column {column})"
