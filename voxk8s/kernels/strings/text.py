"""Concatenation, formatting, comparison and splitting of text; numbers as `print` writes them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Final

from voxk8s.describe import as_text, describe
from voxk8s.errors import KernelError
from voxk8s.values import Value

_WIDEST_FIELD: Final = 1000
_WHOLE_NUMBER_TYPES: Final = frozenset("bcdoxX")


def concat(first: Value, *more: Value) -> Value:
    """Return the concatenation of the arguments as text."""
    return "".join(as_text(part) for part in (first, *more))


def format_string(template: Value, *arguments: Value) -> Value:
    """Replace `{}`, `{0}` or `{:03d}` in a template by the arguments, as Python's str.format does.

    A float without fraction serves as an integer where the format requires one. Fields refer to
    arguments by position only, without attributes and items. KernelError for a wrong field, one
    wider than 1,000 characters, and a result with lone surrogates.
    """
    pattern = _require_string("format_string", template)
    try:
        filled = _Formatter().vformat(pattern, arguments, {})
        filled.encode()  # `{:c}` turns some numbers into lone surrogates
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise KernelError(f"format_string: {pattern!r}: {error}") from error
    return filled


def equals(a: Value, b: Value) -> Value:
    """Return whether two values are equal as text."""
    return as_text(a) == as_text(b)


def split(text: Value, separator: Value = ",") -> Value:
    """Return the substrings between separators, as a sequence of strings."""
    delimiter = _require_string("split", separator)
    if not delimiter:
        raise KernelError("split: expected a separator, got an empty string")
    pieces: list[Value] = [*_require_string("split", text).split(delimiter)]
    return pieces


class _Formatter(string.Formatter):
    """A formatter whose fields are positions, without access to attributes and items."""

    def get_field(
        self, field_name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> tuple[object, int | str]:
        if not re.fullmatch(r"\d*", field_name):
            raise ValueError(f"expected a position as field, got {field_name!r}")
        found: tuple[object, int | str] = super().get_field(field_name, args, kwargs)
        return found

    def convert_field(self, value: object, conversion: str | None) -> object:
        if conversion is None or isinstance(value, str):
            return super().convert_field(value, conversion)
        return as_text(value)  # type: ignore[arg-type]  # arguments of a kernel are values

    def format_field(self, value: object, format_spec: str) -> str:
        if any(int(width) > _WIDEST_FIELD for width in re.findall(r"\d+", format_spec)):
            raise ValueError(
                f"expected a field of at most {_WIDEST_FIELD} characters, got {format_spec!r}"
            )
        if isinstance(value, float) and value.is_integer():
            if format_spec[-1:] in _WHOLE_NUMBER_TYPES:
                value = int(value)
        elif not isinstance(value, int | float | str):
            value = as_text(value)  # type: ignore[arg-type]  # arguments of a kernel are values
        if isinstance(value, bool):
            value = as_text(value)
        formatted: str = super().format_field(value, format_spec)
        return formatted


def _require_string(kernel: str, value: Value) -> str:
    if not isinstance(value, str):
        raise KernelError(f"{kernel}: expected a string, got {describe(value)}")
    return value
