"""The MRI of the demo, in the test cluster's store."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import s3fs

from tests.support.kubectl import cluster_env

KEY = "inputs/mni152-t1.nii.gz"


def local_path() -> Path:
    """Give the MNI152 T1 template that the nilearn wheel carries (uint8, 197x233x189, 1 mm)."""
    name = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    return Path(str(files("nilearn.datasets") / "data" / name))


def filesystem() -> Any:
    """Give the store of the test cluster as a file system, seen from this machine."""
    env = cluster_env()
    return s3fs.S3FileSystem(
        key=env["AWS_ACCESS_KEY_ID"],
        secret=env["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=env["S3_ENDPOINT"],
        client_kwargs={"region_name": env["S3_REGION"]},
        skip_instance_cache=True,
    )


def upload() -> None:
    """Put the MRI where the sample WorkPlans look for it, unless it is there."""
    remote, source = f"{cluster_env()['S3_BUCKET']}/{KEY}", local_path()
    fs = filesystem()
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
