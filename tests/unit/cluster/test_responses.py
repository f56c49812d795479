"""Reading responses of the API server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from voxk8s.cluster.responses import iter_lines


class Stream:
    """A response whose content arrives in the given pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.content = self
        self.pieces = pieces

    async def iter_any(self) -> AsyncGenerator[bytes]:
        """Yield the pieces."""
        for piece in self.pieces:
            yield piece


async def test_lines_of_any_length() -> None:
    """Lines are joined across pieces; a last line without a newline counts."""
    long = b"x" * 3_000_000
    stream: Any = Stream(b"a", b"b\n", b"\nc\nd", long[:1_000_000], long[1_000_000:], b"\ne")
    lines = [line async for line in iter_lines(stream)]
    assert lines == [b"ab", b"c", b"d" + long, b"e"]
