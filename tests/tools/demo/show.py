"""What the demo prints: steps, progress as it happens, results."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support import kstatus
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.paths import ROOT

REPORTS = ROOT / "reports" / "demo"
POLL_SECONDS = 0.1
LIMIT_SECONDS = 600


def step(text: str) -> None:
    """Print the headline of a step."""
    print(f"\n== {text}", flush=True)


def line(text: str) -> None:
    """Print a line below a headline."""
    print(f"   {text}", flush=True)


def shown(path: Path) -> str:
    """Return a path as short as it can be written here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def follow(kube: Kubectl, name: str, apply: Callable[[], None]) -> dict[str, Any]:
    """Apply a WorkPlan and print each change of its state until it has ended."""
    start, last = time.monotonic(), ""
    apply()
    while True:
        try:
            thing = kube.get("workplan", name)
        except KubectlError:
            thing = {"metadata": {}, "status": {}}
        state, seconds = _state(thing), time.monotonic() - start
        if state != last:
            line(f"{seconds:6.1f} s  {state}")
            last = state
        if kstatus.read(thing) in ("Current", "Failed") and thing["status"].get("conditions"):
            return thing
        if seconds > LIMIT_SECONDS:
            raise AssertionError(f"WorkPlan {name} did not end within {LIMIT_SECONDS} s")
        time.sleep(POLL_SECONDS)


def _state(thing: Mapping[str, Any]) -> str:
    status = thing.get("status") or {}
    counts = status.get("operations") or {}
    parts = [status.get("phase") or "Pending"]
    if status.get("progress"):
        parts.append(
            f"{status['progress']} done, {counts.get('computed', 0)} computed,"
            f" {counts.get('cached', 0)} known before"
        )
    workers = (status.get("cluster") or {}).get("workers")
    if workers:
        parts.append(f"{workers} worker{'s' if workers > 1 else ''}")
    message = kstatus.condition(thing, "Ready").get("message") or ""
    if not status.get("progress") and message:
        parts.append(message)
    return " | ".join(parts)


def outcome(thing: Mapping[str, Any]) -> None:
    """Print the results and failures of a WorkPlan that has ended."""
    status = thing.get("status") or {}
    for result in status.get("results") or ():
        if "value" in result:
            line(f"{result['goal']} = {result['value']}")
        else:
            line(f"{result['goal']} -> {result.get('url')}")
            line(f"    {result.get('digest')}, {result.get('sizeBytes')} bytes")
    for failure in status.get("failures") or ():
        line(f"FAILED {failure.get('kernel')}: {failure.get('message')}")
    if kstatus.read(thing) == "Failed":
        found = kstatus.condition(thing, "Stalled")
        line(f"{found.get('reason')}: {found.get('message')}")
