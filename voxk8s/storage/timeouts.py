"""Time-outs of requests to a remote store: of silence, never of the whole of a large request.

Large objects take as long as they take on a slow line. A line without any progress is noticed: when
reading, by the time between two pieces; when sending, by TCP, which gives up a connection on which
nothing was acknowledged for 30 seconds (obstore sets TCP_USER_TIMEOUT).
"""

from __future__ import annotations

from dataclasses import dataclass

UNLIMITED = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Times in seconds.

    `small` bounds a request of some kilobytes in all, `idle` the silence while an object is read.
    `sent` is how long a server may take to answer after the first byte of an upload, or of a part
    of 5 MiB, was sent: obstore counts the sending, so it is long.
    """

    connect: float = 2.0
    connect_bulk: float = 10.0
    small: float = 5.0
    idle: float = 30.0
    sent: float = 900.0
