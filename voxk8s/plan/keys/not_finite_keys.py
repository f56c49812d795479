"""The operations by which a run asks whether values are finite, and remembers where they are not.

Their results are in the store under keys of their own, as those of all operations.
"""

from __future__ import annotations

from typing import Final

from voxk8s.plan.kernel_version import KernelVersion
from voxk8s.plan.keys.key_graph import KeyOperation
from voxk8s.plan.keys.result_keys import kernel_tail, operation_key
from voxk8s.plan.model import OperationId, ResultKey

PROBE_KERNEL: Final = "voxk8s.not_finite"
"""The kernel that says what is in a value: `NaN`, `an infinity` or nothing."""
ORIGIN_KERNEL: Final = "voxk8s.not_finite_origin"
"""Name in keys and records of what was found; nothing computes it but a run's search."""
_ONE: Final = KernelVersion(1)


def probe(key: ResultKey) -> KeyOperation:
    """Return the operation that says what is in the value of a key."""
    found = operation_key(kernel_tail(PROBE_KERNEL, _ONE), (key,))
    return KeyOperation(found, PROBE_KERNEL, _ONE, (key,), OperationId(found))


def origin_key(key: ResultKey) -> ResultKey:
    """Return the key under which it is stored where NaN or infinities in a result began."""
    return operation_key(kernel_tail(ORIGIN_KERNEL, _ONE), (key,))
