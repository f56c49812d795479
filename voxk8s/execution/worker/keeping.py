"""Which results are stored beside goals and the images that goals save: what is dear to repeat."""

from __future__ import annotations

PUT_SECONDS = 0.02
"""What one write and one later read of a small result cost on an S3 server, in seconds."""
BYTES_PER_SECOND = 50e6
"""How fast values are encoded, compressed, sent and later read back, measured on one core."""


def is_worth_storing(policy: str, seconds: float, size: int) -> bool:
    """Decide after measuring; `seconds` computed `size` bytes in memory.

    `seconds` includes cheap operations of the same task whose results are not stored, since they
    would be computed again as well. A sweep of 26,000 operations that take milliseconds on 9 MB
    masks stores nothing; a registration of half a minute is stored at once.
    """
    match policy:
        case "all":
            return True
        case "goals":
            return False
        case _:
            return seconds > PUT_SECONDS + size / BYTES_PER_SECOND
