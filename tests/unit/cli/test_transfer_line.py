"""The progress of files."""

from __future__ import annotations

import io

from voxk8s.cli.transfer_line import TransferLine


def test_a_terminal_shows_rate_and_time_left() -> None:
    """The line is renewed in place, and makes room for a message."""
    stream, now = io.StringIO(), [0.0]
    line = TransferLine(stream, 100_000_000, live=True, clock=lambda: now[0])
    now[0] = 2.0
    line.add(20_000_000)
    assert stream.getvalue() == "\r\x1b[K19.1 MiB of 95.4 MiB, 9.5 MiB/s, about 8 s left"
    line.add(1)
    line.done("wrote x")
    assert stream.getvalue().endswith("left\r\x1b[Kvoxk8s: wrote x\n")


def test_elsewhere_only_what_is_complete_is_written() -> None:
    """Plain lines, and none with --quiet."""
    stream = io.StringIO()
    line = TransferLine(stream, 10, live=False)
    line.add(10)
    line.done("wrote \x1b[31mx")
    line.clear()
    assert stream.getvalue() == "voxk8s: wrote \\x1b[31mx\n"
    TransferLine(quiet := io.StringIO(), 1, live=True, quiet=True).done("wrote x")
    assert quiet.getvalue() == ""
