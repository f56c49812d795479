"""The demo's first plan in one process: something to look at while a cluster is built.

`make demo` runs it before anything else, as `python -m tests.tools.demo.first_look`. Its results
lie in `reports/demo/local`, its report beside them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.support import workplans
from tests.tools.demo import picture, scan, show
from tests.tools.demo.show import REPORTS, shown

FOLDER = REPORTS / "local"


def main() -> int:
    """Run the plan by the command line, draw what it saved, and say where to look."""
    show.step("First, the plan in one process of this machine: the white matter of an MRI")
    thing = workplans.sample("white-matter.yaml")
    for node in thing["spec"]["source"]["plan"]["nodes"]:
        if node["id"] == "url":
            node["value"] = str(scan.local_path())
    report = FOLDER / "report.html"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "white-matter.yaml"
        plan.write_text(yaml.safe_dump(thing))
        words = ["run", str(plan), "--allow", str(scan.local_path().parent)]
        words += ["--output", str(FOLDER), "--report", str(report), "--quiet"]
        done = subprocess.run([sys.executable, "-m", "voxk8s.cli", *words], check=False)
    if done.returncode:
        return done.returncode
    path = FOLDER / "white-matter.png"
    (mask,) = (goal["name"] for goal in _saved(thing))
    picture.save_mask(FOLDER / mask, path)
    shutil.copyfile(scan.local_path(), FOLDER / "scan.nii.gz")
    show.line(f"MRI     {shown(FOLDER / 'scan.nii.gz')}")
    show.line(f"picture {shown(path)}")
    show.line(f"report  {shown(report)}")
    print("\n   Open them to look; `make demo` does the same on a Kubernetes.\n", flush=True)
    return 0


def _saved(thing: workplans.Document) -> list[workplans.Document]:
    return [
        goal for goal in thing["spec"]["source"]["plan"]["goals"] if goal["operation"] == "save"
    ]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
