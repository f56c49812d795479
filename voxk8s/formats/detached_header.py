"""Detached headers: .mhd, .nhdr and NIfTI's .hdr, with the voxels in another file.

Both files are the input: its digest includes both.
"""

from __future__ import annotations

import re
from typing import Final

from voxk8s.formats import metaimage, nrrd
from voxk8s.formats.nifti import is_nifti_pair

HEADER_SUFFIXES: Final = (".mhd", ".nhdr", ".hdr")
HEADER_BYTES: Final = max(metaimage.HEADER_BYTES, nrrd.HEADER_BYTES)
"""The longest header in which a data file is searched for."""
_PLAIN_NAME: Final = re.compile(r"[^/\\%:\s][^/\\%:]*")


def data_file_url(url: str, head: bytes) -> str | None:
    """Return the URL of the data file that a header names; None unless it is in the same folder."""
    folder, slash, own = url.rpartition("/")
    if is_nifti_pair(head):
        return f"{folder}{slash}{own[:-4]}{'.IMG' if own.endswith('.HDR') else '.img'}"
    name = _data_file(head)
    if name is None or not _PLAIN_NAME.fullmatch(name) or name.upper().startswith("LIST"):
        return None
    return f"{folder}{slash}{name}"


def _data_file(head: bytes) -> str | None:
    if head.startswith(b"NRRD000"):
        return nrrd.data_file_name(head)
    header = metaimage.parse_header(head)
    name = header.fields["ElementDataFile"] if header else "LOCAL"
    return None if name.upper() == "LOCAL" else name
