"""Reads a safe subset of YAML fast: from events of the C parser, without recursion.

Scalars follow the core schema of YAML 1.2, so that every JSON document is the same document in
YAML (`1e-3` is a number, `on` and `no` are strings). Keys are strings as written: keys of arguments
may be `0` or `"0"`. Tags, anchors, aliases, duplicate keys and several documents are rejected;
nesting is bounded.
"""

from __future__ import annotations

import re

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from voxk8s.errors import InvalidPlan

MAX_DEPTH = 400
"""Most levels of nesting: more than 100 nested loops."""

_WORDS: dict[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_BASE = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_NUMERIC = frozenset("-+.0123456789")


class _Frame:
    """A collection that is being read; `key` is None while a mapping expects a key."""

    __slots__ = ("key", "mapping", "value")

    def __init__(self, value: dict[str, object] | list[object]) -> None:
        self.value = value
        self.mapping = isinstance(value, dict)
        self.key: str | None = None

    @property
    def expects_key(self) -> bool:
        return self.mapping and self.key is None

    def put(self, value: object) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is not None:
            self.value[self.key] = value
            self.key = None


def read_yaml(source: bytes | str) -> object:
    """Read one YAML document; raises InvalidPlan with line and column."""
    try:
        return _build(yaml.CSafeLoader(source))
    except (yaml.YAMLError, UnicodeError) as error:
        raise InvalidPlan(f"the document is not YAML: {_one_line(error)}") from error


def _build(loader: yaml.CSafeLoader) -> object:
    result: object = None
    documents = 0
    stack: list[_Frame] = []
    get_event = loader.get_event
    while True:
        event = get_event()
        value: object
        if isinstance(event, ScalarEvent):
            _check_no_extras(event)
            if stack and stack[-1].expects_key:
                _read_key(stack[-1], event)
                continue
            value = event.value if event.style else _scalar(event)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            _check_no_extras(event)
            if len(stack) == MAX_DEPTH:
                raise InvalidPlan(f"nesting is deeper than {MAX_DEPTH} levels{_where(event)}")
            if stack and stack[-1].expects_key:
                raise InvalidPlan(f"expected a string as key{_where(event)}")
            stack.append(_Frame({} if isinstance(event, MappingStartEvent) else []))
            continue
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            value = stack.pop().value
        elif isinstance(event, AliasEvent):
            raise InvalidPlan(f"aliases are not allowed{_where(event)}; write the value out")
        elif event is None or isinstance(event, StreamEndEvent):
            return result
        else:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise InvalidPlan(f"more than one YAML document{_where(event)}")
            continue
        if stack:
            stack[-1].put(value)
        else:
            result = value


def _read_key(frame: _Frame, event: ScalarEvent) -> None:
    if event.value in frame.value:
        raise InvalidPlan(f"duplicate key {event.value!r}{_where(event)}")
    frame.key = event.value


def _scalar(event: ScalarEvent) -> object:
    """Return the value of a plain scalar."""
    text: str = event.value
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INT.match(text):
        try:
            return int(text)
        except ValueError as error:
            raise InvalidPlan(f"an integer has too many digits{_where(event)}") from error
    if _FLOAT.match(text):
        return float(text)
    if _OTHER_BASE.match(text):
        return int(text, 0)
    if _NOT_FINITE.match(text):
        return float(text.replace(".", ""))
    return text


def _check_no_extras(event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
    if event.anchor is not None:
        raise InvalidPlan(f"anchors are not allowed{_where(event)}; write the value out")
    if event.tag is not None:
        raise InvalidPlan(f"tags are not allowed{_where(event)}: {event.tag!r}")


def _where(event: yaml.Event) -> str:
    mark = event.start_mark
    return "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"


def _one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())
    problem = getattr(error, "problem", None) or "syntax error"
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})"
