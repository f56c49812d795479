"""Put and get of values of 512 MB, in MB/s and memory, beside what a user would use instead.

`python -m tests.tools.bench.large_values`
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import s3fs
import zstandard

from tests.support.s3 import serve
from voxk8s.storage import ResultStore, open_store
from voxk8s.values import Array, Float32Array, Image

MIB = 1 << 20
VOLUME = 512 * MIB
GOAL = 300.0
"""MB/s in a folder."""
GEOMETRY = ((1.0,) * 3, (0.0,) * 3, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds on the clock and of CPU, and bytes of memory beside what there was before."""

    seconds: float
    cpu: float
    memory: float


def measure(call: Callable[[], object]) -> Measured:
    """Measure a call; memory is what the process has at most, sampled, its result included."""
    ended = threading.Event()
    before = peak = resident()

    def sample() -> None:
        nonlocal peak
        while not ended.wait(0.002):
            peak = max(peak, resident())

    sampler = threading.Thread(target=sample)
    sampler.start()
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = max(peak, resident())
    del result
    ended.set()
    sampler.join()
    return Measured(wall, cpu, peak - before)


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def scans() -> Float32Array:
    """Return float32 voxels with whole values, as most scanners give them: smooth, with noise."""
    rng = np.random.default_rng(0)
    x = np.linspace(0, 12, 256, dtype="float32")
    plane = np.sin(x)[:, None] * np.cos(x)[None, :] * 200 + 600
    volume = np.empty((VOLUME // (4 * 256 * 256), 256, 256), "float32")
    for number, each in enumerate(volume):
        noisy = plane * (1 + number / len(volume)) + rng.normal(0, 15, plane.shape)
        each[...] = np.rint(np.clip(noisy, 0, None))
    return volume


def smoothed(volume: Float32Array) -> Float32Array:
    """Return voxels as a filter leaves them: all bits of the mantissa are in use."""
    result = volume.astype("float32")
    result[1:] = (result[1:] + result[:-1]) / np.float32(3)
    return result


def show(what: str, size: int, put: Measured, got: Measured | None, note: str = "") -> None:
    """Print a row: MB/s, seconds of CPU, memory as a multiple of the array beside it."""
    cells = [f"{what:<44}"]
    for each, own in ((put, 0), (got, size)):
        if each is None:
            cells.append(" " * 28)
            continue
        extra = max(0.0, each.memory - own) / size
        cells.append(f"{size / each.seconds / 1e6:7.0f} MB/s {each.cpu:5.1f} s {1 + extra:5.2f}x")
    print("  ".join(cells), note)


def row(opener: Callable[[], ResultStore], where: str, name: str, array: Array) -> None:
    """Measure one value in one store."""
    key = hashlib.sha256(name.encode()).hexdigest()
    image = Image(array, *GEOMETRY)
    put = measure(lambda: opener().put(key, image))
    got = measure(lambda: opener().get(key))
    record = opener().record(key)
    size = 0 if record is None else record.size
    show(f"{where}: {name}", array.nbytes, put, got, f"{array.nbytes / max(size, 1):.2f} smaller")


def peers(folder: Path, array: Array) -> None:
    """Measure what a user would use instead; none of them verifies what it reads."""
    plain = folder / "plain.npy"
    show(
        "numpy.save, numpy.load",
        array.nbytes,
        *both(lambda: np.save(plain, array), lambda: np.load(plain)),
    )
    packed = folder / "packed.zst"

    def compress() -> None:
        data = zstandard.ZstdCompressor(level=1).compress(array.tobytes())
        hashlib.sha256(data)
        packed.write_bytes(data)

    def decompress() -> Array:
        data = packed.read_bytes()
        hashlib.sha256(data)
        return np.frombuffer(zstandard.ZstdDecompressor().decompress(data), array.dtype)

    show("zstd and SHA-256 of the whole array", array.nbytes, *both(compress, decompress))
    part = array[: len(array) // 8]
    nifti = folder / "image.nii.gz"
    image = nibabel.Nifti1Image(part, np.eye(4))  # type: ignore[no-untyped-call]
    show(
        "nibabel, .nii.gz (of an eighth)",
        part.nbytes,
        *both(
            lambda: nibabel.save(image, nifti),
            lambda: np.asarray(nibabel.load(nifti).dataobj),  # type: ignore[attr-defined]  # an image
        ),
    )


def both(put: Callable[[], object], get: Callable[[], object]) -> tuple[Measured, Measured]:
    """Measure writing, then reading."""
    return measure(put), measure(get)


def main() -> None:
    """Measure a folder and S3, and print the table."""
    volume = scans()
    values = {
        "scan, float32 with whole values": volume,
        "filtered, float32": smoothed(volume),
        "mask, uint8": (volume > 650).astype("uint8"),
    }
    print(f"\nLarge values, {os.cpu_count()} cores; goal {GOAL:.0f} MB/s in a folder, 1.3x memory")
    print(f"{'what':<44}  {'put':>12} {'CPU':>7} {'peak':>6}  {'get':>12} {'CPU':>7} {'peak':>6}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, array in values.items():
            row(lambda: open_store(str(folder / "store")), "folder", what, array)
        peers(folder, volume)
        with serve(folder / "s3") as server:
            for what, array in values.items():
                row(lambda: server.store("bench"), "S3", what, array)
            files = s3fs.S3FileSystem(
                key=server.key, secret=server.secret, endpoint_url=server.endpoint
            )
            target = f"{server.bucket}/peer"
            show(
                "s3fs pipe and cat of the plain bytes",
                volume.nbytes,
                *both(
                    lambda: files.pipe(target, volume.tobytes()),
                    lambda: np.frombuffer(files.cat(target), "float32"),
                ),
            )


if __name__ == "__main__":
    main()
