"""Functions that call each other to any depth, without Python's call stack."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Trampolined: TypeAlias = Generator["Trampolined[Any]", Any, T]
"""A function that yields the calls that it makes and receives their results."""


def run(function: Trampolined[T]) -> T:
    """Run a function to its end; an exception ends all its callers, which cannot catch it."""
    stack: list[Trampolined[Any]] = [function]
    result: Any = None
    while True:
        try:
            stack.append(stack[-1].send(result))
            result = None
        except StopIteration as end:
            stack.pop()
            result = end.value
            if not stack:
                return result  # type: ignore[no-any-return] # the result of `function`
