"""The kernels of the namespace `test`, for tests and benchmarks; registered by a setting only."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from voxk8s.kernels.kernel_spec import KernelSpec, make_spec


def _row(name: str, types: str, doc: str, module: str = "fault_injection") -> KernelSpec:
    function = f"voxk8s.kernels.testing.{module}:{name}"
    return make_spec(f"test.{name}", types, function, doc)


KERNELS: Final[tuple[KernelSpec, ...]] = (
    _row("sleep", "number -> number", "Sleep, return the argument"),
    _row("fail_times", "number any -> any", "Fail n times with a transient error, then return x"),
    _row("fail", "string -> any", "Fail permanently with the message"),
    _row("identity", "any -> any", "Return the argument"),
    _row("allocate", "number -> number", "Allocate memory in MiB, then return the argument"),
    _row("nondeterministic", "any -> any", "Return another value at each call"),
    _row("fib", "number any -> number", "fibonacci(n), with a label", "workloads"),
    _row("fibonacci", "number -> number", "The nth Fibonacci number", "workloads"),
    _row("timewaste", "number number -> number", "Decompose random matrices", "workloads"),
    _row("demo_data", "-> any", "A mapping with values of all kinds", "workloads"),
    _row("enqueue", "string any* -> any", "A mapping that describes a call", "workloads"),
    replace(
        make_spec(
            "test.on_gpu",
            "number -> number",
            "voxk8s.kernels.testing.fault_injection:sleep",
            "Sleep on a worker that offers a GPU",
        ),
        resources=(("GPU", 1.0),),
    ),
)
