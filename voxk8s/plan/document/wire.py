"""The wire form of plans: what documents may say, and reading it from JSON and from mappings.

Integers of any size up to 4,300 digits are exact in documents. A constant is written as `value`
or, where a JSON library on the way would change a number, in an exact form: `float` or `int` with
the number's text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal, NoReturn

import msgspec
from msgspec import UNSET, UnsetType

from voxk8s.errors import InvalidPlan
from voxk8s.plan.document.json_text import check_duplicate_keys, syntax_error_message
from voxk8s.plan.model import BufferId, Scalar

_PATH = re.compile(r"^(?P<message>.*?)(?: - at (?:`key` in )?`(?P<path>[^`]*)`)?$", re.DOTALL)
_TOO_DEEP = "the document is nested too deeply; a plan needs few levels beside its loops"


class ConstantForm(
    msgspec.Struct, forbid_unknown_fields=True, gc=False, tag="constant", tag_field="type"
):
    """A constant: `value`, or one of the exact forms."""

    id: str
    value: Scalar | UnsetType = UNSET
    float: str | UnsetType = UNSET
    int: str | UnsetType = UNSET
    buffer_id: BufferId | None = None


class OperationForm(msgspec.Struct, forbid_unknown_fields=True, tag="operation", tag_field="type"):
    """An operation; argument keys are "0" to "n-1"."""

    id: str
    operator: str
    arguments: dict[str, str] = {}
    buffer_id: BufferId | None = None


class ParameterForm(
    msgspec.Struct, forbid_unknown_fields=True, gc=False, tag="parameter", tag_field="type"
):
    """A hole in a closure's body."""

    id: str
    name: str


class ClosureForm(msgspec.Struct, forbid_unknown_fields=True, tag="closure", tag_field="type"):
    """A loop's body with nodes of its own."""

    id: str
    variable: str
    nodes: list[NodeForm]
    result: str
    captures: dict[str, str] = {}


NodeForm = ConstantForm | OperationForm | ParameterForm | ClosureForm


class GoalForm(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An output."""

    operation: Literal["print", "save"]
    id: str
    name: str


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """A whole plan document."""

    nodes: list[NodeForm]
    goals: list[GoalForm]
    imports: list[str] = []


_decoder = msgspec.json.Decoder(Document)


def read_json(data: bytes) -> Document:
    """Read a JSON document; raises InvalidPlan with the path of what does not fit."""
    try:
        document = _decoder.decode(data)
        check_duplicate_keys(data)
    except msgspec.ValidationError as error:
        _refuse(error)
    except RecursionError as error:
        raise InvalidPlan(_TOO_DEEP) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidPlan(syntax_error_message(data, str(error))) from error
    return document


def read_lenient(source: bytes) -> Document | None:
    """Read what is not quite JSON, with NaN, infinities and lone surrogates; None if it is not.

    Those are refused where scalars are checked, which knows their path.
    """
    try:
        return read_mapping(json.loads(source))
    except (ValueError, RecursionError):
        return None


def read_mapping(source: Mapping[str, object]) -> Document:
    """Read a document that is Python objects already."""
    try:
        return msgspec.convert(source, type=Document)
    except msgspec.ValidationError as error:
        _refuse(error)
    except RecursionError as error:
        raise InvalidPlan(_TOO_DEEP) from error


def _refuse(error: msgspec.ValidationError) -> NoReturn:
    """Split msgspec's message into ours and the path."""
    found = _PATH.match(str(error))
    message, path = (found["message"], found["path"]) if found else (str(error), None)
    message = _lower(message)
    if message == "number out of range":
        message = "a number must be finite"
    raise InvalidPlan(message.replace("`", "'"), path or "$") from error


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
