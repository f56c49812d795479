"""Keys of inputs: files that are loaded, folders that are listed."""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.plan.identity import operation_id
from voxk8s.plan.kernel_version import numbered
from voxk8s.plan.keys.key_graph import KeyOperation
from voxk8s.plan.keys.key_table import KeyTable
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.keys.pins import InputRef
from voxk8s.plan.keys.result_keys import input_key
from voxk8s.plan.keys.sequence_items import as_scalar
from voxk8s.plan.model import OperationId, Scalar
from voxk8s.plan.signature import Role, Signature


def key_of_input(
    table: KeyTable,
    operator: str,
    signature: Signature,
    arguments: Sequence[PartialKey],
    name: OperationId,
) -> PartialKey:
    """Return the key of a file or folder by its pin, or without a key while it has no pin."""
    scalars: list[Scalar] = []
    for position, argument in enumerate(arguments):
        value = argument.value
        if value is None:
            if argument.key is None:
                return PartialKey(name, None, waits=(argument,))
            if argument.key not in table.values:
                return table.defer(name, argument.key)
            value = as_scalar(table.values[argument.key])
        if position == 0 and not isinstance(value, str):
            return table.reject(name, f"{operator}: the address must be a string")
        if value is None:
            return table.reject(
                name, f"{operator}: argument {position} must be a string, a number or a truth value"
            )
        scalars.append(value)
    constants = [table.constant(value) for value in scalars]
    plain = operation_id(operator, [constant.id for constant in constants])
    if plain != name:
        table.sources.setdefault(plain, name)
    pin = table.pins.get(plain)
    if pin is None:
        table.unpinned[plain] = InputRef(plain, signature.role, tuple(scalars), signature.qualified)
        return PartialKey(plain, None)
    listing = signature.role is Role.LISTING
    if listing and pin.entries is None:
        return table.reject(name, f"{operator}: {pin.url} is not a folder")
    others = tuple([constant.key for constant in constants[1:] if constant.key is not None])
    key = input_key(signature.qualified, signature.version, pin.digest, others)
    if key not in table.nodes:
        table.nodes[key] = KeyOperation(
            key, signature.qualified, numbered(signature.version), others, name, signature.role, pin
        )
    entries = pin.entries if listing else None
    items = None if entries is None else tuple([table.constant(each) for each in entries])
    return PartialKey(name, key, items=items)
