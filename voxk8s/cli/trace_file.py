"""`voxk8s run --trace FILE`: the operations of a run, as a table for other programs."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

from voxk8s.cli.input_file import Input
from voxk8s.cli.output_file import obstacle
from voxk8s.errors import InvalidUsage
from voxk8s.execution import ExecutionResult
from voxk8s.execution.files import write_file
from voxk8s.history.trace import COLUMNS, trace


class TraceFile:
    """Writes the trace of a run: columns are separated by tabs, in a `.csv` file by commas."""

    def __init__(self, path: str) -> None:
        """Raise InvalidUsage if no file can be written at this path."""
        self.path = Path(path)
        if (reason := obstacle(self.path)) is not None:
            raise InvalidUsage(f"--trace {path}: {reason}; name another file")

    def write(self, result: ExecutionResult, given: Input) -> bool:
        """Write the table; print an error and return False if that fails."""
        text = io.StringIO()
        separator = "," if self.path.suffix.lower() == ".csv" else "\t"
        table = csv.writer(text, delimiter=separator, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(trace(result, given.places or {}))
        try:
            write_file(self.path, text.getvalue().encode("utf-8"))
        except OSError as error:
            reason = error.strerror or str(error)
            print(f"voxk8s: cannot write the trace {self.path}: {reason}", file=sys.stderr)
            return False
        return True
