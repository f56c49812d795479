"""The report of a run: one self-contained HTML page. Pure.

`Run` holds what the page shows; `voxk8s.history` fills it in.
"""

from voxk8s.report.page import Insert, report
from voxk8s.report.run_data import (
    Counts,
    Goal,
    Graph,
    GraphNode,
    Incident,
    InputFile,
    KernelTotal,
    Operation,
    Origin,
    Preview,
    Run,
    StoreUse,
    Usage,
)

__all__ = [
    "Counts",
    "Goal",
    "Graph",
    "GraphNode",
    "Incident",
    "InputFile",
    "Insert",
    "KernelTotal",
    "Operation",
    "Origin",
    "Preview",
    "Run",
    "StoreUse",
    "Usage",
    "report",
]
