"""What follows from a phase alone."""

from __future__ import annotations

from voxk8s.controller.decide.phase import Phase, PhaseState


def test_ends_and_active_phases() -> None:
    """Two phases are ends, two need children; no phase is both."""
    states = [PhaseState(phase, "Reason", "") for phase in Phase]
    assert [s.phase.value for s in states if s.ended] == ["Succeeded", "Failed"]
    assert [s.phase.value for s in states if s.needs_children] == ["Starting", "Running"]
