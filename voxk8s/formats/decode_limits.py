"""How large a file may become when it is decoded, and how long that may take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from voxk8s import constants
from voxk8s.errors import InputUnavailable
from voxk8s.memory import usable_memory
from voxk8s.settings import read_number

Allow: TypeAlias = Callable[[int], None]
"""Raises InputUnavailable if an input may not become so many bytes."""

_MOST: Final = 8 * 2**30
_ALWAYS: Final = 256 * 2**20
"""Files that become no larger than this may be of any size themselves."""
_EXPANSION: Final = 1000
"""Decoded bytes for each byte of a file: images with more are of one colour."""
_SECONDS: Final = 120.0
_BYTES_A_SECOND: Final = 2 * 2**20
"""Slower than any decoder: JPEG 2000 gives ten times as much."""
_VALUE_BYTES: Final = 64
"""Memory of a value in a JSON document, beside its text."""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The limits of decoding one input.

    `largest` is in bytes, of the decoded image and of what is decompressed on the way. Without
    `expansion` a small file may become as large as that; with it, files that become larger than
    256 MiB must have a byte for each `expansion` decoded bytes. `seconds` is the processor time of
    a small file; large ones may take longer.
    """

    largest: int = _MOST
    expansion: int | None = _EXPANSION
    seconds: float = _SECONDS

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> DecodeLimits:
        """Read the limits: VOXK8S_INPUT_BYTES, by default half of the memory, at most 8 GiB."""
        seconds = read_number(env, constants.ENV_INPUT_SECONDS, _SECONDS, least=1)
        given = int(read_number(env, constants.ENV_INPUT_BYTES, 0))
        if given:
            return cls(given, None, seconds)
        return cls(max(_ALWAYS, min(_MOST, usable_memory() // 2)), _EXPANSION, seconds)

    def check(self, url: str, decoded: int, stored: int) -> None:
        """Raise InputUnavailable if `stored` bytes of an input may not become `decoded` bytes."""
        if decoded > self.largest:
            raise InputUnavailable(
                f"input {url}: it has {decoded} bytes when it is decoded, more than the limit of"
                f" {self.largest}; {constants.ENV_INPUT_BYTES} sets another limit"
            )
        if self.expansion and decoded > max(_ALWAYS, stored * self.expansion):
            raise InputUnavailable(
                f"input {url}: its {stored} bytes become {decoded} when they are decoded, more than"
                f" {self.expansion} times as many; {constants.ENV_INPUT_BYTES} sets a limit that"
                " allows it"
            )

    def check_document(self, url: str, text: bytes) -> None:
        """Raise InputUnavailable if the values of a JSON document would take too much memory."""
        values = sum(map(text.count, (b",", b"[", b"{", b":")))
        if len(text) + values * _VALUE_BYTES > self.largest:
            raise InputUnavailable(
                f"input {url}: the JSON document has {len(text)} bytes and about {values} values,"
                f" too many for the limit of {self.largest} bytes; {constants.ENV_INPUT_BYTES} sets"
                " another limit"
            )

    def seconds_for(self, amount: int) -> float:
        """Return the processor time for `amount` bytes, read and decoded."""
        return self.seconds + amount / _BYTES_A_SECOND
