"""The log of a process in a cluster: without credentials, and without control characters."""

from __future__ import annotations

import logging

from voxk8s.redact import redact, visible


class SafeFormatter(logging.Formatter):
    """Formats records, with their tracebacks, for logs that many may read on terminals."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        return visible(redact(super().format(record)))


def start_log(level: int | str) -> None:
    """Write records of at least this level to standard error, unless somebody else does already."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
