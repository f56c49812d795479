"""Headers that keep their voxels in a file beside them: .mhd, .nhdr, and NIfTI's .hdr.

Both files make up the input: its digest is of both, and both are read.
"""

from __future__ import annotations

import re
from typing import Final

from voxk8s.formats import metaimage, nrrd
from voxk8s.formats.nifti import is_nifti_pair

HEADER_SUFFIXES: Final = (".mhd", ".nhdr", ".hdr")
HEADER_BYTES: Final = max(metaimage.HEADER_BYTES, nrrd.HEADER_BYTES)
"""The longest header of which the voxels are looked for."""
_PLAIN_NAME: Final = re.compile(r"[^/\\%:\s][^/\\%:]*")


def data_file_url(url: str, head: bytes) -> str | None:
    """Give the URL of the one file that a header names, where it lies beside the header."""
    folder, slash, own = url.rpartition("/")
    if is_nifti_pair(head):
        return f"{folder}{slash}{own[:-4]}{'.IMG' if own.endswith('.HDR') else '.img'}"
    name = _named(head)
    if name is None or not _PLAIN_NAME.fullmatch(name) or name.upper().startswith("LIST"):
        return None
    return f"{folder}{slash}{name}"


def _named(head: bytes) -> str | None:
    if head.startswith(b"NRRD000"):
        return nrrd.data_file_name(head)
    header = metaimage.parse_header(head)
    name = header.fields["ElementDataFile"] if header else "LOCAL"
    return None if name.upper() == "LOCAL" else name
