"""Reports of operations, as workers send them to drivers."""

from __future__ import annotations

import pytest

from voxk8s.execution.operation_reports import Batch, Report, Status, decode_batch, encode_batch
from voxk8s.failure import RESULT_GONE, Failure
from voxk8s.storage import Counts


def test_reports_cross_the_wire() -> None:
    """A batch of reports is decoded as it was encoded."""
    reports = (Report("k", Status.COMPUTED, "a.b", 0.5, value=b"\x01"), Report("l", Status.SKIPPED))
    assert decode_batch(encode_batch("run", reports)) == Batch("run", reports)


def test_counts_cross_the_wire() -> None:
    """They come with the reports; without news there are none."""
    counts = Counts(hits=3, bytes_written=1 << 40)
    assert decode_batch(encode_batch("run", (), counts)).counts == counts
    assert decode_batch(encode_batch("run", ())).counts is None


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(None, False), (Failure("no"), False), (Failure("gone", RESULT_GONE), True)],
)
def test_a_report_of_a_vanished_result_is_recomputable(
    failure: Failure | None, expected: bool
) -> None:
    """Only a failure that computing again mends makes a report recomputable."""
    assert Report("a" * 64, Status.FAILED, failure=failure).is_recomputable is expected
