"""The kernels of the namespace `test`: for tests and benchmarks, registered only by a setting."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.spec import KernelSpec, spec

_HOME = "voxk8s.kernels.testing.kernels"

KERNELS: Final[tuple[KernelSpec, ...]] = (
    spec("test.sleep", "number -> number", f"{_HOME}:sleep", "Waits, then gives the seconds"),
    spec(
        "test.fail_times",
        "number any -> any",
        f"{_HOME}:fail_times",
        "Fails n times with a transient error, then gives x",
    ),
    spec("test.fail", "string -> any", f"{_HOME}:fail", "Fails for good with the message"),
    spec("test.identity", "any -> any", f"{_HOME}:identity", "Gives its argument"),
    spec(
        "test.allocate",
        "number -> number",
        f"{_HOME}:allocate",
        "Takes so many MiB of memory, then gives the number",
    ),
    spec(
        "test.nondeterministic",
        "any -> any",
        f"{_HOME}:nondeterministic",
        "Gives something else each time",
    ),
)
