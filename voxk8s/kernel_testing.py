"""For tests of kernels of one's own: calls them as a run does, and checks what a run relies on."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from voxk8s.errors import InvalidUsage, KernelError
from voxk8s.execution.worker.normalize import normalize
from voxk8s.kernels import registry
from voxk8s.storage.value_codec import decode, encode
from voxk8s.values import Value


def call_kernel(name: str, *arguments: object) -> Value:
    """Call a registered kernel with values of Python and numpy; return what a run would store.

    Arguments are read-only copies, as in a run, so that a kernel that changes an array fails with
    ValueError. The kernel is called twice. Raises InvalidUsage for a name that is not registered
    or a number of arguments that it does not take, UnsupportedValue for a result that cannot be
    stored, and KernelError if the two results differ: then the kernel is not pure.
    """
    signature = registry().spec(name).signature
    most = signature.maximum
    if len(arguments) < signature.minimum or (most is not None and len(arguments) > most):
        upper = "any number of" if most is None else most
        raise InvalidUsage(
            f"kernel {name}: expected {signature.minimum} to {upper} arguments,"
            f" got {len(arguments)}"
        )
    given = [encode(normalize(deepcopy(each))).join() for each in arguments]
    first, second = _called(name, given), _called(name, given)
    if encode(first).payload_digest() != encode(second).payload_digest():
        raise KernelError(
            f"kernel {name}: two calls with the same arguments gave different values; fix the seeds"
            " of random numbers, and use nothing but the arguments"
        )
    return first


def _called(name: str, given: Sequence[bytes]) -> Value:
    return normalize(registry().function(name)(*map(decode, given)))
