"""Functions that call each other to any depth, without the interpreter's stack."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Trampolined: TypeAlias = Generator["Trampolined[Any]", Any, T]
"""A function that `yield`s the calls it makes and is sent their results."""


def run(steps: Trampolined[T]) -> T:
    """Run to the end; exceptions leave through the calls they pass, as usual."""
    stack: list[Trampolined[Any]] = [steps]
    result: Any = None
    while True:
        try:
            stack.append(stack[-1].send(result))
            result = None
        except StopIteration as end:
            stack.pop()
            result = end.value
            if not stack:
                return result  # type: ignore[no-any-return] # the first steps' own result
