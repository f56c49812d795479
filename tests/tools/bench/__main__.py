"""All benchmark tables in turn: `make bench`, or some: `python -m tests.tools.bench plan store`."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

BENCHMARKS: Final = (
    "cluster",
    "cluster_sweep",
    "controller",
    "costs",
    "fair_lookups",
    "imgql",
    "kernels",
    "kernel_threads",
    "large_values",
    "operator_load",
    "overhead",
    "plan",
    "scale",
    "start",
    "store",
    "sweep",
    "trust_costs",
)


def main(wanted: list[str]) -> int:
    """Run each benchmark in a process of its own; return the exit status."""
    unknown = sorted(set(wanted) - set(BENCHMARKS))
    if unknown:
        known = ", ".join(BENCHMARKS)
        print(f"expected names among {known}, got {', '.join(unknown)}", file=sys.stderr)
        return 2
    return max(
        subprocess.run([sys.executable, "-m", f"tests.tools.bench.{name}"], check=False).returncode
        for name in wanted or BENCHMARKS
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
