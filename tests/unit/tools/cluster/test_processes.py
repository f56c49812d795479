"""Processes: only those that are really ours count, and are ended."""

import json
import os
import signal
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.tools.cluster import processes
from tests.tools.cluster.processes import Processes, Record


@pytest.fixture
def ours(tmp_path: Path) -> Processes:
    """Records of no process yet."""
    return Processes(tmp_path, tmp_path / "logs")


def note(folder: Path, **changes: object) -> None:
    """Record this very process as one that was started, with something about it changed."""
    started = processes.start_time(os.getpid())
    assert started is not None
    record = asdict(Record(os.getpid(), started, processes.boot_id(), "")) | changes
    (folder / "it.json").write_text(json.dumps(record))


def test_recorded_process_is_alive(ours: Processes, tmp_path: Path) -> None:
    """A process whose identifier, start time and boot agree is the recorded one."""
    note(tmp_path)
    assert ours.alive("it")


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}, {"pid": 2**22 + 1}])
def test_another_process_is_never_ended(
    ours: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    """A process that has a recorded identifier by chance is left alone; the record goes."""
    sent: list[tuple[int, signal.Signals]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    note(tmp_path, **change)
    assert not ours.alive("it")
    ours.stop(["it"])
    assert sent == []
    assert ours.names() == []


def test_half_written_record_is_no_process(ours: Processes, tmp_path: Path) -> None:
    """A record that was cut off names no process."""
    (tmp_path / "it.json").write_text('{"pid": 1')
    assert not ours.alive("it")
