"""The MRI of the demo, and what the other samples load, in the test cluster's store."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import s3fs

from tests.support.kubectl import cluster_env

T1, WHITE, GREY = (
    f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz" for name in ("t1", "wm", "gm")
)
FOLDER = {f"inputs/scans/{name}": name for name in (T1, WHITE, GREY)}
INPUTS = {"inputs/mni152-t1.nii.gz": T1, "inputs/mni152-wm.nii.gz": WHITE, **FOLDER}
"""What the sample WorkPlans load, by their keys, and the files of the nilearn wheel."""


def local_path(name: str = T1) -> Path:
    """Return a file of the MNI152 template that the nilearn wheel carries (197x233x189, 1 mm)."""
    # Importing nilearn would load scikit-learn, which takes seconds.
    spec = find_spec("nilearn")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / name


def filesystem() -> Any:
    """Return the store of the test cluster as a file system, seen from this machine."""
    env = cluster_env()
    return s3fs.S3FileSystem(
        key=env["AWS_ACCESS_KEY_ID"],
        secret=env["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=env["S3_ENDPOINT"],
        client_kwargs={"region_name": env["S3_REGION"]},
        skip_instance_cache=True,
    )


def upload() -> None:
    """Put everything where the sample WorkPlans look for it, unless it is there."""
    bucket, fs = cluster_env()["S3_BUCKET"], filesystem()
    for key, name in INPUTS.items():
        remote, source = f"{bucket}/{key}", local_path(name)
        if not fs.exists(remote) or fs.size(remote) != source.stat().st_size:
            fs.put_file(str(source), remote)


def read(url: str) -> bytes:
    """Read an object of the store."""
    data: bytes = filesystem().cat_file(url.removeprefix("s3://"))
    return data


def forget_results() -> None:
    """Remove all records, so that every operation is new to the store."""
    fs, bucket = filesystem(), cluster_env()["S3_BUCKET"]
    if fs.exists(f"{bucket}/ac"):
        fs.rm(f"{bucket}/ac", recursive=True)
