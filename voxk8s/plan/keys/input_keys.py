"""Terms of what comes from outside: files that are loaded, folders that are listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from voxk8s.plan.identity import operation_id
from voxk8s.plan.keys.key_graph import Deferred, KeyNode, KeyOperation
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.keys.pins import InputRef, Pin
from voxk8s.plan.keys.result_keys import input_key
from voxk8s.plan.keys.sequence_items import as_scalar
from voxk8s.plan.model import OperationId, ResultKey, Scalar
from voxk8s.plan.signature import Role, Signature

_WORDS = {True: "a text", False: "a text, a number or a truth value"}


class Maker(Protocol):
    """Makes the other terms, and collects what is to be said of the graph."""

    nodes: dict[ResultKey, KeyNode]
    deferred: dict[OperationId, Deferred]
    rejected: dict[OperationId, str]
    sources: dict[OperationId, OperationId]

    def constant(self, value: Scalar) -> PartialKey:
        """Make the term of a constant."""


class External:
    """Gives inputs their keys, by the pins that say what their contents are.

    `unpinned` are those that have no pin yet.
    """

    def __init__(
        self,
        maker: Maker,
        pins: Mapping[OperationId, Pin],
        values: Mapping[ResultKey, object],
    ) -> None:
        self._maker = maker
        self._pins = pins
        self._values = values
        self.unpinned: dict[OperationId, InputRef] = {}

    def term(
        self,
        operator: str,
        signature: Signature,
        arguments: Sequence[PartialKey],
        name: OperationId,
    ) -> PartialKey:
        """Make the term of a file or folder: by its pin, or waiting for one."""
        scalars: list[Scalar] = []
        for place, term in enumerate(arguments):
            value = term.value
            if value is None:
                if term.key is None:
                    return PartialKey(name, None, waits=(term,))
                if term.key not in self._values:
                    self._maker.deferred[name] = Deferred(name, term.key)
                    return PartialKey(name, None)
                value = as_scalar(self._values[term.key])
            if value is None or (place == 0 and not isinstance(value, str)):
                what = "the address" if place == 0 else f"argument {place}"
                self._maker.rejected[name] = f"{operator}: {what} must be {_WORDS[place == 0]}"
                return PartialKey(name, None)
            scalars.append(value)
        places = [self._maker.constant(value) for value in scalars]
        plain = operation_id(operator, [term.id for term in places])
        if plain != name:
            self._maker.sources.setdefault(plain, name)
        pin = self._pins.get(plain)
        if pin is None:
            self.unpinned[plain] = InputRef(
                plain, signature.role, tuple(scalars), signature.qualified
            )
            return PartialKey(plain, None)
        listing = signature.role is Role.LISTING
        if listing and pin.entries is None:
            self._maker.rejected[name] = f"{operator}: {pin.url} is not a folder"
            return PartialKey(name, None)
        beside = tuple([term.key for term in places[1:] if term.key is not None])
        key = input_key(signature.qualified, signature.version, pin.digest, beside)
        if key not in self._maker.nodes:
            self._maker.nodes[key] = KeyOperation(
                key, signature.qualified, signature.version, beside, name, signature.role, pin
            )
        entries = pin.entries if listing else None
        items = None if entries is None else tuple([self._maker.constant(each) for each in entries])
        return PartialKey(name, key, items=items)
