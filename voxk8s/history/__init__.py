"""The history of a run, collected from its events and its result, for the report.

The command line and the runner use it; the engine and the report do not import each other.
"""

from voxk8s.history.collect import collect_run, versions
from voxk8s.history.goals import known_since, show_goals
from voxk8s.history.input_files import input_files
from voxk8s.history.pictures import Pictures, from_files, from_store
from voxk8s.history.recorder import Recorder
from voxk8s.history.scans import Scans
from voxk8s.history.usage import UsageRecorder, own_usage

__all__ = [
    "Pictures",
    "Recorder",
    "Scans",
    "UsageRecorder",
    "collect_run",
    "from_files",
    "from_store",
    "input_files",
    "known_since",
    "own_usage",
    "show_goals",
    "versions",
]
