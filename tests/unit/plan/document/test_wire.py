"""Plan documents as JSON: syntax, encoding, exact numbers."""

from __future__ import annotations

import json

import pytest

from tests.support.plan_documents import (
    INDEX,
    constant,
    document,
    goal,
    refused,
)
from voxk8s.plan import constant_id, decode


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("", "$", "not JSON"),
        ("{", "$", "not JSON"),
        ("[]", "$", "object"),
        ('{"nodes": []}', "$", "goals"),
        ('{"nodes": [], "goals": [], "nodse": []}', "$", "nodse"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": NaN}], "goals": []}',
         "$.nodes[0].value", "finite"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": -Infinity}], "goals": []}',
         "$.nodes[0].value", "finite"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": 1e999}], "goals": []}',
         "$.nodes[0].value", "finite"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": "\\ud800"}], "goals": []}',
         "$.nodes[0].value", "surrogate"),
        ('{"nodes": [{"id": "\\ud800", "type": "constant", "value": 1}], "goals": []}',
         "$.nodes[0].id", "surrogate"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": 1}], "goals": []} x',
         "$", "not JSON"),
        ("[" * 100_000, "$", ""),
        ('{"nodes": [{"id": "c", "type": "constant", "value": NaN, "x": ' + "[" * 100_000,
         "$", "not JSON"),
        ('{"goals": [], "nodes": ' + '[{"id": "f", "type": "closure", "nodes": ' * 100_000,
         "$", "deep"),
        ('{"nodes": [{"id": "c", "type": "constant", "value": ' + "1" * 5000 + '}], "goals": []}',
         "$.nodes[0].value", "range"),
    ],
)  # fmt: skip
def test_wrong_text_is_refused(text: str, path: str, words: str) -> None:
    """Text that is no plan, or nests without end, gives one clear error."""
    error = refused(text)
    assert error.path == path
    assert words in error.message


def test_bytes_that_are_not_unicode_are_refused() -> None:
    """Bad UTF-8 is an invalid plan."""
    refused(b'{"nodes": [{"id": "\xff", "type": "constant", "value": 1}], "goals": []}')


def test_integers_are_exact() -> None:
    """Integers beyond 64 bits keep every digit."""
    number = 10**40 + 1
    read = decode(json.dumps(document(constant("c", number), goals=[goal("c")])), index=INDEX)
    assert read.goals[0].id == constant_id(number)


def test_syntax_errors_have_line_and_column() -> None:
    """A syntax error has a line and a column, in characters, once."""
    error = refused('{"nodes": [],\n "göals"; []}')
    assert "the document is not JSON: " in str(error)
    assert "(line 2, column 9)" in str(error)
    assert "malformed" not in str(error)


def test_byte_order_mark_is_skipped() -> None:
    """A document may begin with a byte order mark, as text and as bytes."""
    text = '\ufeff{"nodes": [], "goals": []}'
    assert decode(text, index=INDEX) == decode(text.encode(), index=INDEX)
