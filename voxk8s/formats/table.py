"""Tables: text with one row a line, whose fields are separated by commas or tabulators."""

from __future__ import annotations

import csv
import io
import re
from typing import Final

import numpy as np

from voxk8s.describe import as_text, describe
from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.values import Image, SavedFile, Value

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


def encode_table(value: Value, suffix: str) -> bytes:
    """Return a value as a table, which `decode_table` reads again; a string is its own text.

    A sequence of mappings has a row for each and a column for each name, in the order in which they
    are first met; a mapping is one row. A sequence of sequences or a matrix has columns `0`, `1`,
    ...; a sequence of numbers, texts or truth values has the column `value`, and so has one of them
    alone. A missing value is empty. Raises KernelError for images and what is nested deeper.
    """
    if isinstance(value, str):
        return f"{value}\n".encode()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    rows = value if isinstance(value, list) else [value]
    if any(isinstance(row, dict) for row in rows):
        names, cells = _records(rows, suffix)
    elif any(isinstance(row, list) for row in rows):
        names, cells = _matrix(rows, suffix)
    else:
        names, cells = ["value"], [[row] for row in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=_SEPARATORS[suffix], lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[_cell(cell, suffix) for cell in row] for row in cells])
    return text.getvalue().encode()


def _records(rows: list[Value], suffix: str) -> tuple[list[str], list[list[Value]]]:
    names: dict[str, None] = {}
    for row in rows:
        if not isinstance(row, dict):
            raise _no_table(row, suffix, "among rows that are mappings")
        names |= dict.fromkeys(row)
    return list(names), [[row.get(name) for name in names] for row in rows if isinstance(row, dict)]


def _matrix(rows: list[Value], suffix: str) -> tuple[list[str], list[list[Value]]]:
    cells: list[list[Value]] = []
    for row in rows:
        if not isinstance(row, list):
            raise _no_table(row, suffix, "among rows that are sequences")
        cells.append(row)
    width = len(cells[0])
    for row in cells:
        if len(row) != width:
            raise KernelError(
                f"save: rows of {width} and of {len(row)} items cannot be saved as {suffix}; use"
                " .json"
            )
    return [str(number) for number in range(width)], cells


def _cell(value: Value, suffix: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict | np.ndarray | Image | SavedFile):
        raise _no_table(value, suffix, "as a field")
    return as_text(value)


def _no_table(value: Value, suffix: str, where: str) -> KernelError:
    return KernelError(
        f"save: {describe(value)} cannot be saved as {suffix} {where}; use .json for what is no"
        " table"
    )


def _field(text: str) -> Value:
    stripped = text.strip()
    if not stripped:
        return None
    if _NUMBER.fullmatch(stripped):
        number = float(stripped)
        whole = re.fullmatch(r"[+-]?\d{1,15}", stripped)
        return int(stripped) if whole else number
    return _TRUTH.get(stripped.lower(), text)
