"""Tables: text with one row a line, whose fields are separated by commas or tabulators."""

from __future__ import annotations

import csv
import io
import re
from typing import Final

from voxk8s.errors import InputUnavailable
from voxk8s.values import Value

_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TRUTH: Final = {"true": True, "false": False}


def is_table(url: str) -> bool:
    """Whether a file's name says that it is a table: text has no other sign of it."""
    return url.lower().endswith(tuple(_SEPARATORS))


def decode_table(url: str, source: bytes) -> Value:
    """Return one mapping for each row after the first one, which has the names of the columns.

    Fields are numbers (a float, unless whole and without a point), truth values, None if empty, and
    else strings; quoted as in RFC 4180. Lines without any text are left out. Raises
    InputUnavailable for text that is not UTF-8, a repeated or missing name, and rows of another
    length.
    """
    try:
        text = source.decode("utf-8-sig")
        separator = _SEPARATORS[url.lower()[-4:]]
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [(lines.line_num, row) for row in lines if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputUnavailable(f"input {url}: not a table: {error}") from error
    if not rows:
        raise InputUnavailable(f"input {url}: expected a first row with the names of columns")
    names = [name.strip() for name in rows[0][1]]
    if not all(names) or len(set(names)) < len(names):
        raise InputUnavailable(
            f"input {url}: expected a first row with a name for each column, all different, got"
            f" {', '.join(names)}"
        )
    table: list[Value] = []
    for line, row in rows[1:]:
        if len(row) != len(names):
            raise InputUnavailable(
                f"input {url}: line {line}: expected {len(names)} fields, got {len(row)}"
            )
        table.append({name: _field(text) for name, text in zip(names, row, strict=True)})
    return table


def _field(text: str) -> Value:
    stripped = text.strip()
    if not stripped:
        return None
    if _NUMBER.fullmatch(stripped):
        number = float(stripped)
        whole = re.fullmatch(r"[+-]?\d{1,15}", stripped)
        return int(stripped) if whole else number
    return _TRUTH.get(stripped.lower(), text)
