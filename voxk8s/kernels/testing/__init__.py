"""The kernels of the namespace `test`, for tests and benchmarks; registered by a setting only."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.kernel_spec import KernelSpec, make_spec

_HOME = "voxk8s.kernels.testing.fault_injection"

KERNELS: Final[tuple[KernelSpec, ...]] = (
    make_spec("test.sleep", "number -> number", f"{_HOME}:sleep", "Sleep, return the argument"),
    make_spec(
        "test.fail_times",
        "number any -> any",
        f"{_HOME}:fail_times",
        "Fail n times with a transient error, then return x",
    ),
    make_spec("test.fail", "string -> any", f"{_HOME}:fail", "Fail permanently with the message"),
    make_spec("test.identity", "any -> any", f"{_HOME}:identity", "Return the argument"),
    make_spec(
        "test.allocate",
        "number -> number",
        f"{_HOME}:allocate",
        "Allocate memory in MiB, then return the argument",
    ),
    make_spec(
        "test.nondeterministic",
        "any -> any",
        f"{_HOME}:nondeterministic",
        "Return another value at each call",
    ),
)
