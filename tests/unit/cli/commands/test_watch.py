"""`voxk8s watch`: what ends it beside the end of the WorkPlan."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from voxk8s.api.workplan import decode_resource
from voxk8s.cli.commands import watch
from voxk8s.cluster.kube_client import WatchEvent
from voxk8s.cluster.kube_errors import ApiError, Forbidden, Invalid, KubeUnreachable
from voxk8s.cluster.reflector import WatchError

_RUNNING: dict[str, Any] = {
    "metadata": {"name": "w", "namespace": "ns", "uid": "u", "generation": 1},
    "spec": {"source": {"program": 'print "x" 1'}},
    "status": {"observedGeneration": 1, "phase": "Running"},
}
_ENDED = _RUNNING | {
    "status": {
        "observedGeneration": 1,
        "phase": "Succeeded",
        "completionTime": "2026-01-01T00:00:00Z",
    }
}
_REFUSED = Forbidden("these credentials are not accepted", 401, "Unauthorized")
_AWAY = KubeUnreachable("no answer")


async def _follow(
    monkeypatch: pytest.MonkeyPatch, notices: Sequence[ApiError | dict[str, Any]]
) -> str:
    """Follow a WorkPlan whose watch brings these errors and objects; return its last phase."""

    async def stream(*_: object, **__: object) -> AsyncIterator[object]:
        for each in notices:
            yield WatchError(each) if isinstance(each, ApiError) else WatchEvent("MODIFIED", each)

    async def read(*_: object) -> object:
        return decode_resource(_RUNNING)

    monkeypatch.setattr(watch, "list_and_watch", stream)
    monkeypatch.setattr(watch, "read_workplan", read)
    kube: Any = None
    ended = await watch.follow(kube, "w", "ns", tell=lambda *_: None)
    return str(ended.status.phase)


@pytest.mark.parametrize("refused", [_REFUSED, Invalid("not accepted by a proxy", 400)])
async def test_what_stays_refused_ends_it(
    monkeypatch: pytest.MonkeyPatch, refused: ApiError
) -> None:
    """An expired token gets no better by waiting, nor does a request that is not understood."""
    with pytest.raises(type(refused), match="not accepted"):
        await _follow(monkeypatch, [_RUNNING, *3 * [refused], _ENDED])


async def test_a_moment_without_valid_credentials_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tokens a server refuses an answer or two."""
    notices: list[ApiError | dict[str, Any]] = [
        *2 * [_REFUSED],
        _RUNNING,
        *2 * [_REFUSED],
        _AWAY,
        *2 * [_REFUSED],
        _ENDED,
    ]
    assert await _follow(monkeypatch, notices) == "Succeeded"


async def test_a_server_that_is_away_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes back."""
    assert await _follow(monkeypatch, [*20 * [_AWAY], _ENDED]) == "Succeeded"
