"""Where the repository and its data for tests lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The root of the repository."""

DATA = ROOT / "tests" / "data"
"""Programs, plans, golden manifests and stores that tests read."""

SAMPLES = ROOT / "manifests" / "samples"
"""WorkPlans that users start from."""
