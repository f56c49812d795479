"""Tests of tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.errors import InputUnavailable, KernelError
from voxk8s.formats.table import decode_table, encode_table, is_table
from voxk8s.values import Value


def test_rows_are_mappings() -> None:
    """By the names in the first row; fields are numbers, truth values, strings, or nothing."""
    text = b'\xef\xbb\xbfcase, dice,n,ok\r\n"a,b",8.5e-1,3,TRUE\r\n\r\nc,,-07,x\r\n'
    assert decode_table("t.CSV", text) == [
        {"case": "a,b", "dice": 0.85, "n": 3, "ok": True},
        {"case": "c", "dice": None, "n": -7, "ok": "x"},
    ]
    assert decode_table("t.tsv", b"a\tb\n1\tx,y\n") == [{"a": 1, "b": "x,y"}]
    assert is_table("s3://b/T.csv")
    assert not is_table("t.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "expected a first row with the names"),
        (b"a,a\n", "all different"),
        (b"a,\n", "a name for each column"),
        (b"a,b\n1\n", "line 2: expected 2 fields, got 1"),
        (b"a\n\xff", "not a table"),
        (b'a\n"b', "not a table"),
    ],
)
def test_what_is_no_table_is_refused(text: bytes, message: str) -> None:
    """With the line, where there is one."""
    with pytest.raises(InputUnavailable, match=message):
        decode_table("t.csv", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, 2.5, True, None], 'value\n1\n2.5\ntrue\n""\n'),
        (
            [{"case": "a,b", "dice": 0.5}, {"dice": 1.0, "n": 2}],
            'case,dice,n\n"a,b",0.5,\n,1.0,2\n',
        ),
        ({"dice": 0.5}, "dice\n0.5\n"),
        ([[1, 2], [3, 4]], "0,1\n1,2\n3,4\n"),
        (np.array([[1.5, 2.0]]), "0,1\n1.5,2.0\n"),
        (3, "value\n3\n"),
        ([], "value\n"),
        ("a;b\n1;2", "a;b\n1;2\n"),
    ],
)
def test_values_are_tables(value: Any, text: str) -> None:
    """With a first row of names; a text is one that the program has written itself."""
    assert encode_table(value, ".csv").decode() == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], "rows of 2 and of 1 items"),
        ([[1], 2], "among rows that are sequences"),
        ([{"a": 1}, 2], "among rows that are mappings"),
        ([{"a": [1, 2]}], "as a field; use .json"),
    ],
)
def test_what_is_no_table_is_an_error(value: Any, message: str) -> None:
    """It says what can be saved instead."""
    with pytest.raises(KernelError, match=message):
        encode_table(value, ".csv")


_FIELDS = st.one_of(
    st.integers(-(10**14), 10**14),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.just('a,"b"\tc'),
)


@given(st.lists(st.fixed_dictionaries({"x": _FIELDS, "long name": _FIELDS})))
def test_a_saved_table_is_read_as_it_was(rows: list[dict[str, Any]]) -> None:
    """Types and quotes included."""
    for suffix in (".csv", ".tsv"):
        table: Value = [*rows] or [{"x": 1}]
        assert decode_table(f"t{suffix}", encode_table(table, suffix)) == table
