"""Limits of the results and failures in the status: values are truncated, lists bounded. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from voxk8s.api.base import ApiStruct, Json
from voxk8s.api.plan_schema import NAME_LENGTH
from voxk8s.api.status import GoalResult
from voxk8s.describe import as_line, describe

VALUE_LIMIT: Final = 4096
"""Maximum bytes of JSON of one value."""
RESULTS_LIMIT: Final = 160 * 1024
"""Maximum bytes of JSON of all results; with the rest the status stays below 256 KiB."""
FAILURES_LIMIT: Final = 48 * 1024
BYTES_PER_SECOND: Final = 64 * 1024
"""Bytes of one WorkPlan that its status writes may make the API server store in a second.

Each write stores the whole object, plan included: at this rate, and with the compaction of etcd
every five minutes, a run holds at most 20 MB there.
"""
MAX_RESULTS: Final = 1000
MAX_FAILURES: Final = 100

_MOST_BITS: Final = 4096
"""Longer integers are described, not written."""
_T = TypeVar("_T", bound=ApiStruct)


def seconds_between_writes(size: int) -> float:
    """Return the least seconds between two writes of the status of an object of `size` bytes."""
    return size / BYTES_PER_SECOND


def truncate_value(value: object) -> tuple[Json, bool]:
    """Return a value as JSON for the status, and whether it was truncated.

    Numbers that JSON does not have become text (`inf`, `nan`). Of long text and lists the beginning
    is kept; other long values become truncated text.
    """
    plain = _plain(value)
    if _size(plain) <= VALUE_LIMIT:
        return plain, False
    if isinstance(plain, list):
        return _beginning(plain), True
    text = plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()
    return _cut(text), True


def printed_line(value: object) -> str | None:
    """Return the line of a value that is not the same after its way through the API server.

    It writes whole floats as integers. None for all other values, and for those that are truncated.
    """
    if not _has_whole_float(value) or _size(_plain(value)) > VALUE_LIMIT:
        return None
    line = as_line(value, VALUE_LIMIT + 1)  # type: ignore[arg-type]  # numbers, in sequences
    return line if len(line) <= VALUE_LIMIT else None


def _has_whole_float(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    if isinstance(value, Mapping):
        return any(map(_has_whole_float, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_whole_float, value))


def json_value(value: object) -> Json:
    """Return a complete value as JSON, for the folder of the run."""
    plain: Json = _plain(value)
    return plain


def bound_results(results: Sequence[GoalResult]) -> tuple[tuple[GoalResult, ...], int]:
    """Return the first results that fit into a status, and how many are omitted.

    Longer names of goals than the CRD accepts are cut.
    """
    return _bound([_with_short_name(each) for each in results], MAX_RESULTS, RESULTS_LIMIT)


def bound_failures(failures: Sequence[_T]) -> tuple[tuple[_T, ...], int]:
    """Return the first failures, or skipped items, that fit, and how many are omitted."""
    return _bound(failures, MAX_FAILURES, FAILURES_LIMIT)


def _with_short_name(result: GoalResult) -> GoalResult:
    if len(result.goal) <= NAME_LENGTH:
        return result
    return msgspec.structs.replace(result, goal=result.goal[: NAME_LENGTH - 1] + "…")


def _bound(items: Sequence[_T], most: int, limit: int) -> tuple[tuple[_T, ...], int]:
    kept: list[_T] = []
    used = 0
    for item in items[:most]:
        used += len(msgspec.json.encode(item)) + 1
        if used > limit:
            break
        kept.append(item)
    return tuple(kept), len(items) - len(kept)


def _plain(value: object) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_plain(str(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        # The API server has integers of 64 bits only.
        return _whole(value) if isinstance(value, int) and abs(value) >= 2**63 else value
    return str(value)


def _whole(value: int) -> str:
    """Return an integer as text; Python writes none of several thousand digits."""
    return str(value) if value.bit_length() <= _MOST_BITS else describe(value)


def _beginning(items: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    used = 2
    for item in items:
        used += _size(item) + 1
        if used > VALUE_LIMIT:
            break
        kept.append(item)
    return kept


def _cut(text: str) -> str:
    data = text.encode("utf-8", "replace")[: VALUE_LIMIT - 8]
    return data.decode("utf-8", "ignore") + "…"


def _size(value: object) -> int:
    return len(msgspec.json.encode(value))
