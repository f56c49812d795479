"""The report of a run: one HTML page that needs nothing beside itself. Pure.

`Run` is what the page shows; who has run something fills it in.
"""

from voxk8s.report.page import report
from voxk8s.report.run import (
    Counts,
    Goal,
    Incident,
    KernelTotal,
    Operation,
    Origin,
    Preview,
    Run,
)

__all__ = [
    "Counts",
    "Goal",
    "Incident",
    "KernelTotal",
    "Operation",
    "Origin",
    "Preview",
    "Run",
    "report",
]
