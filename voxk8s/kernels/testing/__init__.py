"""The kernels of the namespace `test`: for tests and benchmarks, registered only by a setting."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.kernel_spec import KernelSpec, make_spec

_HOME = "voxk8s.kernels.testing.fault_injection"

KERNELS: Final[tuple[KernelSpec, ...]] = (
    make_spec("test.sleep", "number -> number", f"{_HOME}:sleep", "Waits, then gives the seconds"),
    make_spec(
        "test.fail_times",
        "number any -> any",
        f"{_HOME}:fail_times",
        "Fails n times with a transient error, then gives x",
    ),
    make_spec("test.fail", "string -> any", f"{_HOME}:fail", "Fails for good with the message"),
    make_spec("test.identity", "any -> any", f"{_HOME}:identity", "Gives its argument"),
    make_spec(
        "test.allocate",
        "number -> number",
        f"{_HOME}:allocate",
        "Takes so many MiB of memory, then gives the number",
    ),
    make_spec(
        "test.nondeterministic",
        "any -> any",
        f"{_HOME}:nondeterministic",
        "Gives something else each time",
    ),
)
