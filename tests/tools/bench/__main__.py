"""All benchmark tables in turn: `make bench`, or some: `python -m tests.tools.bench plan store`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main(wanted: list[str]) -> int:
    """Run each benchmark in a process of its own; gives the exit status."""
    names = sorted(
        path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*")
    )
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(names)}", file=sys.stderr)
        return 2
    statuses = [
        subprocess.run(
            [sys.executable, "-m", f"tests.tools.bench.bench_{name}"], check=False
        ).returncode
        for name in names
        if not wanted or name in wanted
    ]
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
