"""What GDCM, ITK's DICOM reader, does not check, and what it changes in the process."""

from __future__ import annotations

import locale
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.dicom.elements import TRANSFER_SYNTAX, is_complete, parse_file_meta
from voxk8s.formats.jpeg import capture_libjpeg_errors

_JPEG: Final = tuple(f"1.2.840.10008.1.2.4.{kind}" for kind in ("50", "51", "57", "70"))


def check_complete(url: str, path: str, head: bytes, name: str = "") -> None:
    """Raise InputUnavailable, with `name`, for a DICOM file beginning with `head` that is cut."""
    if not is_complete(path, parse_file_meta(head).get(TRANSFER_SYNTAX, "")):
        shown = f" {name}" if name else ""
        raise InputUnavailable(f"input {url}: the DICOM file{shown} is truncated or corrupted")


@contextmanager
def check_jpeg_frames(url: str, *heads: bytes) -> Iterator[None]:
    """Raise InputUnavailable for corrupted JPEG frames that are decoded inside the block.

    `heads` are the beginnings of the DICOM files that are read.
    """
    if not any(parse_file_meta(head).get(TRANSFER_SYNTAX, "") in _JPEG for head in heads):
        yield
        return
    with capture_libjpeg_errors(2) as errors:
        yield
    if errors:
        raise InputUnavailable(f"input {url}: the DICOM file is corrupted: {errors[0]}")


class _Locale:
    """The locale of the process, while threads call what changes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = ""

    def __enter__(self) -> None:
        with self._lock:
            if not self._users:
                self._before = locale.setlocale(locale.LC_ALL)
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:  # earlier, another thread would save the locale that GDCM has set
                locale.setlocale(locale.LC_ALL, self._before)


preserve_locale: Final = _Locale()
"""Restores the locale of the process: GDCM sets "C", in which Python's text encoding is ASCII."""
