"""Concatenation, formatting, comparison and splitting of text; numbers as `print` writes them."""

from __future__ import annotations

from voxk8s.describe import as_text, describe
from voxk8s.errors import KernelError
from voxk8s.plan.text_template import fill_template
from voxk8s.values import Value


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
        filled = fill_template(pattern, arguments, as_text)  # type: ignore[arg-type]  # of values
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


def _require_string(kernel: str, value: Value) -> str:
    if not isinstance(value, str):
        raise KernelError(f"{kernel}: expected a string, got {describe(value)}")
    return value
