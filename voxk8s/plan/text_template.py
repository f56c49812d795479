"""Fills in the fields of a template, as the kernel `format_string` does."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_WIDEST_FIELD: Final = 1000
_WHOLE_NUMBER_TYPES: Final = frozenset("bcdoxX")


def fill_template(
    template: str, arguments: Sequence[object], as_text: Callable[[object], str]
) -> str:
    """Replace `{}`, `{0}` or `{:03d}` by the arguments, as Python's str.format does.

    A float without fraction serves as an integer where the format requires one; other values than
    numbers and strings are shown `as_text`. Fields refer to arguments by position only, without
    attributes and items. Raises ValueError, LookupError, TypeError or OverflowError for a wrong
    field, one wider than 1,000 characters, and a result with lone surrogates.
    """
    filled = _Formatter(as_text).vformat(template, arguments, {})
    filled.encode()  # `{:c}` turns some numbers into lone surrogates
    return filled


class _Formatter(string.Formatter):
    """A formatter whose fields are positions, without access to attributes and items."""

    def __init__(self, as_text: Callable[[object], str]) -> None:
        self._as_text = as_text

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
        return self._as_text(value)

    def format_field(self, value: object, format_spec: str) -> str:
        if any(int(width) > _WIDEST_FIELD for width in re.findall(r"\d+", format_spec)):
            raise ValueError(
                f"expected a field of at most {_WIDEST_FIELD} characters, got {format_spec!r}"
            )
        if isinstance(value, float) and value.is_integer():
            if format_spec[-1:] in _WHOLE_NUMBER_TYPES:
                value = int(value)
        elif not isinstance(value, int | float | str):
            value = self._as_text(value)
        if isinstance(value, bool):
            value = self._as_text(value)
        formatted: str = super().format_field(value, format_spec)
        return formatted
