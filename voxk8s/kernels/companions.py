"""Headers that keep their voxels in a file beside them: MetaImage's .mhd and NRRD's .nhdr.

Both files make up the input: its digest is of both, and both are read.
"""

from __future__ import annotations

import re
from typing import Final

HEADER_SUFFIXES: Final = (".mhd", ".nhdr")
_META_DATA: Final = re.compile(rb"^\s*ElementDataFile\s*=\s*([^\r\n]*)", re.MULTILINE)
_NRRD_DATA: Final = re.compile(rb"^data ?file:\s*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_PLAIN_NAME: Final = re.compile(r"[^/\\%:\s][^/\\%:]*")


def data_file(head: bytes) -> str | None:
    """Give what a header names as the place of its voxels; None if it holds them itself."""
    if head.startswith(b"NRRD000"):
        found = _NRRD_DATA.search(head.partition(b"\n\n")[0])
    else:
        found = _META_DATA.search(head)
    name = found[1].decode("utf-8", "replace").strip() if found else ""
    return name if name and name.upper() != "LOCAL" else None


def companion(url: str, head: bytes) -> str | None:
    """Give the URL of the one file that a header names, where it lies beside the header."""
    name = data_file(head)
    if name is None or not _PLAIN_NAME.fullmatch(name) or name.upper().startswith("LIST"):
        return None
    folder, slash, _ = url.rpartition("/")
    return f"{folder}{slash}{name}"
