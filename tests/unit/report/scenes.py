"""Runs that reports are made of; `python -m tests.unit.report.scenes` writes the golden page."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec

from voxk8s.failure import Failure
from voxk8s.plan import OperationId
from voxk8s.report import (
    Counts,
    Goal,
    Graph,
    GraphNode,
    Incident,
    InputFile,
    Operation,
    Origin,
    Preview,
    Run,
    StoreUse,
    Usage,
    report,
)

GOLDEN = Path(__file__).with_name("golden.html")
START = 1_795_732_264.0
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6360000000020001e527ded00000000049454e44ae426082"
)


def name(number: int) -> OperationId:
    """Name an operation."""
    return OperationId(f"{number:064x}")


def operation(number: int, **parts: Any) -> Operation:
    """Make an operation of one second, each a second after the one before."""
    whole = Operation(name(number), "vox1.near", START + number, 1.0, 1 << 20, "0")
    return msgspec.structs.replace(whole, **parts)


def run(**parts: Any) -> Run:
    """Make a run that has succeeded, or one with other parts."""
    return msgspec.structs.replace(Run("bright.imgql", START, 4.0, "succeeded", Counts()), **parts)


WHOLE = run(
    outcome="failed",
    seconds=5.25,
    message="1 of 4 goals failed",
    counts=Counts(total=9, known=2, computed=4, failed=1, pending=1, unneeded=1),
    goals=(
        Goal("volume", "print", "762306.0", digest="a" * 64, size=17),
        Goal(
            "out/region.nii.gz",
            "save",
            link="./out/region.nii.gz",
            digest="b" * 64,
            size=76_543,
            media_type="application/gzip",
            known=True,
            origin=Origin(START - 86_400, "0.1.0"),
            preview=Preview(PIXEL, "image/png"),
        ),
        Goal("answer", "print", "42", known=True),
        Goal("bad", "print", error="bright.imgql:7:4: vox1.volume failed"),
    ),
    failures=(
        Failure(
            "not a mask",
            error="KernelError",
            attempts=4,
            kernel="vox1.volume",
            operation=OperationId("f" * 64),
            place="bright.imgql:7:4",
        ),
    ),
    excerpts={"bright.imgql:7:4": 'print "bad" volume(scan)\n   ^'},
    incidents=(Incident("vox1.near is tried again", "ConnectionError: away", 3),),
    operations=(
        operation(0),
        operation(1, kernel="vox1.maxvol", seconds=0.25, worker="1", attempts=2, stored=True),
        operation(1, kernel="vox1.near", seconds=0.5, worker="1"),
        operation(2, seconds=2.5, bytes=36 << 20),
        operation(3, kernel="vox1.grow", found=True, seconds=0.01),
        operation(4, kernel="vox1.volume", failed=True, seconds=0.125, attempts=4),
    ),
    store=StoreUse(
        known=2,
        unknown=5,
        hits=3,
        misses=1,
        created=4,
        different=1,
        corrupt=1,
        healed=1,
        requests=40,
        retries=2,
        bytes_read=3_000_000,
        bytes_written=1_500,
    ),
    places={name(2): "bright.imgql:5:12"},
    program='import "vox1"\nprint "volume" volume(scan)\n',
    inputs=(
        InputFile("scan.nii.gz", "c" * 64, 1 << 20, "image 10x20x30 uint8"),
        InputFile("gone.nii.gz", content="not read"),
    ),
    graph=Graph(
        (
            GraphNode("default.load", "bright.imgql:3:1", known=1),
            GraphNode(
                "vox1.near",
                "bright.imgql:5:12",
                computed=3,
                rest=1,
                seconds=4.0,
                skipped=1,
                code="let b = near(a)",
            ),
            GraphNode("vox1.volume", "bright.imgql:7:4", failed=1, seconds=0.125),
        ),
        ((0, 1), (1, 2)),
        "by kernel and line",
        {(name(2), "vox1.near"): 1, (name(4), "vox1.volume"): 2},
        (1, None, 0, 2),
    ),
    usage=(Usage(START + 1, 1.5, 1 << 30, 1), Usage(START + 4, 0.5, 1 << 29, 2)),
    parameters=(("CASE", "7"),),
    versions=(("voxk8s", "0.1.0"),),
    repeat="voxk8s run bright.imgql --param CASE=7",
    facts=(("store", "s3://lab"),),
)
"""A run with one of everything."""


def large(count: int = 100_000) -> Run:
    """Make a run of many short operations on 16 workers of four threads, and a few long ones."""
    chance = random.Random(7)
    clocks: dict[str, list[float]] = {
        f"voxk8s-0123456789-default-worker-{number:010x}": [START] * 4 for number in range(16)
    }
    names = list(clocks)
    operations = []
    for number in range(count):
        worker = chance.choice(names)
        thread = chance.randrange(4)
        seconds = chance.expovariate(0.5 if number % 100 == 0 else 200)
        began = clocks[worker][thread]
        clocks[worker][thread] = began + seconds + 1e-4
        kernel = f"vox1.kernel{chance.randrange(40)}"
        size = chance.randrange(1 << 26)
        operations.append(
            Operation(name(number), kernel, began, seconds, size, worker, stored=True)
        )
    end = max(max(clock) for clock in clocks.values())
    places = {each.operation: "studies/brain/bright.imgql:10:14" for each in operations}
    return run(
        seconds=end - START,
        counts=Counts(total=count, computed=count),
        operations=tuple(operations),
        places=places,
    )


if __name__ == "__main__":
    GOLDEN.write_text(report(WHOLE), encoding="utf-8")
