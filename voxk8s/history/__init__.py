"""What a run did, as its report tells it: events and the result of execution, put together.

Used by all that run something: they know what the report and the engine do not know of each other.
"""

from voxk8s.history.collect import account, versions
from voxk8s.history.goals import known_since, show_goals
from voxk8s.history.pictures import from_files, from_store
from voxk8s.history.recorder import Recorder

__all__ = [
    "Recorder",
    "account",
    "from_files",
    "from_store",
    "known_since",
    "show_goals",
    "versions",
]
