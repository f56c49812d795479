"""The sample WorkPlans that carry a program: made from the program's own file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

FOLDER = Path("manifests/samples")


@dataclass(frozen=True)
class Sample:
    """A program's file, the values of its parameters in a cluster, and workers to use at most."""

    program: str
    parameters: Mapping[str, str]
    workers: int = 2


SCAN = "s3://voxk8s/inputs/mni152-t1.nii.gz"
SAMPLES = {
    "white-matter-program": Sample("white-matter.imgql", {"SCAN": SCAN}),
    "threshold-sweep": Sample(
        "threshold-sweep.imgql",
        {"SCAN": SCAN, "REFERENCE": "s3://voxk8s/inputs/mni152-wm.nii.gz"},
        workers=8,
    ),
    "folder-statistics": Sample(
        "folder-statistics.imgql",
        {"FOLDER": "s3://voxk8s/inputs/scans", "THRESHOLD": "100"},
        workers=4,
    ),
    "texture-similarity": Sample(
        "texture-similarity.imgql",
        {"SCAN": SCAN, "X": "100", "Y": "120", "Z": "110", "RADIUS": "3"},
    ),
}
"""By the name of the WorkPlan, which is that of its file."""

_WORKPLAN = """\
# {about}
#
# Made from {program} by `make generate`; do not edit.
apiVersion: voxk8s.io/v1alpha1
kind: WorkPlan
metadata:
  name: {name}
spec:
  cluster:
    maxWorkers: {workers}
    threadsPerWorker: 1
  source:
    parameters:
{parameters}
    program: |
{text}"""


def workplan(root: Path, name: str) -> str:
    """Write the manifest of a sample; the comment is the first line of the program."""
    sample = SAMPLES[name]
    text = (root / FOLDER / sample.program).read_text(encoding="utf-8")
    values = [f"{key}: {json.dumps(value)}" for key, value in sample.parameters.items()]
    return _WORKPLAN.format(
        about=text.splitlines()[0].removeprefix("//").strip(),
        program=sample.program,
        name=name,
        workers=sample.workers,
        parameters=indent("\n".join(values), " " * 6),
        text=indent(text, " " * 6),
    )


def files(root: Path) -> dict[Path, str]:
    """Return every sample WorkPlan that carries a program."""
    return {FOLDER / f"{name}.yaml": workplan(root, name) for name in SAMPLES}
