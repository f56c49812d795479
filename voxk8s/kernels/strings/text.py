"""Text: joining, formatting, comparing and splitting. Numbers are text as `print` shows them."""

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
    """Give the arguments as text, one after the other."""
    return "".join(as_text(part) for part in (first, *more))


def format_string(template: Value, *arguments: Value) -> Value:
    """Fill `{}`, `{0}` or `{:03d}` in a template with the arguments, as Python's str.format does.

    A whole number in the form of a float is taken as an integer where the field asks for one.
    Fields name arguments by position only: no attributes, no items. KernelError for a wrong field,
    one that is wider than 1,000 characters, and half a character.
    """
    pattern = _text("format_string", template)
    try:
        filled = _Formatter().vformat(pattern, arguments, {})
        filled.encode()  # `{:c}` makes half a character of some numbers, which is no text
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise KernelError(f"format_string: {pattern!r}: {error}") from error
    return filled


def equals(a: Value, b: Value) -> Value:
    """Tell whether two values are the same text."""
    return as_text(a) == as_text(b)


def split(text: Value, separator: Value = ",") -> Value:
    """Give the pieces of a text between separators, as a sequence of strings."""
    mark = _text("split", separator)
    if not mark:
        raise KernelError("split: the separator is empty")
    pieces: list[Value] = [*_text("split", text).split(mark)]
    return pieces


class _Formatter(string.Formatter):
    """Fills fields by position and refuses to look into the arguments."""

    def get_field(
        self, field_name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> tuple[object, int | str]:
        if not re.fullmatch(r"\d*", field_name):
            raise ValueError(f"field {field_name!r} is no position")
        found: tuple[object, int | str] = super().get_field(field_name, args, kwargs)
        return found

    def convert_field(self, value: object, conversion: str | None) -> object:
        if conversion is None or isinstance(value, str):
            return super().convert_field(value, conversion)
        return as_text(value)  # type: ignore[arg-type]  # arguments of a kernel are values

    def format_field(self, value: object, format_spec: str) -> str:
        if any(int(width) > _WIDEST_FIELD for width in re.findall(r"\d+", format_spec)):
            raise ValueError(f"a field may have at most {_WIDEST_FIELD} characters")
        if isinstance(value, float) and value.is_integer():
            if format_spec[-1:] in _WHOLE_NUMBER_TYPES:
                value = int(value)
        elif not isinstance(value, int | float | str):
            value = as_text(value)  # type: ignore[arg-type]  # arguments of a kernel are values
        if isinstance(value, bool):
            value = as_text(value)
        formatted: str = super().format_field(value, format_spec)
        return formatted


def _text(kernel: str, value: Value) -> str:
    if not isinstance(value, str):
        raise KernelError(f"{kernel}: needs a string, not {describe(value)}")
    return value
