"""Tests of tables."""

from __future__ import annotations

import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.table import decode_table, is_table


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
