"""The sizes that images may have in every format."""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.errors import InputUnavailable

_AXES = "xyzt"


def check_dimensions(url: str, sizes: Sequence[int]) -> None:
    """Raise InputUnavailable unless `sizes` (x, y, z, …) are those of a 2-D or 3-D image.

    Further axes may have extent 1; no extent may be 0.
    """
    shape = "x".join(map(str, sizes))
    if any(size < 1 for size in sizes):
        raise InputUnavailable(
            f"input {url}: an image without voxels ({shape}); its header may be corrupted"
        )
    if len(sizes) < 2:
        raise InputUnavailable(
            f"input {url}: a {len(sizes)}-D image ({shape}); only 2-D and 3-D images are supported"
        )
    if any(size > 1 for size in sizes[3:]):
        names = " ".join(_AXES[: len(sizes)])
        raise InputUnavailable(
            f"input {url}: a {len(sizes)}-D image ({shape}, {names}); only 2-D and 3-D images are"
            " supported: save one volume of it"
        )
