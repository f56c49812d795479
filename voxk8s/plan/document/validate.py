"""Checks a decoded document and returns its plan: labels become ids.

The kinds of checks run one after the other, and the first error of a kind in the order of the
document is raised: references, kernels and arities; cycles; ids; geometry; goals.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import UNSET

from voxk8s.errors import InvalidPlan
from voxk8s.plan import model
from voxk8s.plan.canonical import quote
from voxk8s.plan.document import wire
from voxk8s.plan.document.scalars import read_constant
from voxk8s.plan.document.wire import ClosureForm, Document, NodeForm, OperationForm
from voxk8s.plan.graph import Cycle, topological_order
from voxk8s.plan.identity import (
    closure_id,
    constant_id,
    parameter_id,
    quoted_operation_id,
)
from voxk8s.plan.model import Node, OperationId, Scalar, WorkPlan
from voxk8s.plan.sequence_kernels import ACCUMULATOR
from voxk8s.plan.signature import KernelIndex, Role, Signature, takes_geometry
from voxk8s.plan.suggest import clip, is_encodable, suggest
from voxk8s.plan.visible_kernels import VisibleKernels

MAX_LOOP_DEPTH = 64
"""Most levels of nested loops: a bound on recursion, far beyond hand-written plans."""

_NO_BUFFERS: Final[frozenset[object]] = frozenset({None, UNSET})
_POSITIONS = tuple([str(position) for position in range(16)])
_HEX_ID = re.compile(r"[0-9a-fA-F]{64}\Z")


def validate_document(
    document: Document, index: KernelIndex, *, from_resource: bool = False
) -> WorkPlan:
    """Check a document and return its plan; raises InvalidPlan."""
    kernels = VisibleKernels(index, tuple(document.imports or ()))
    kernels.check_imports()
    scope = _Scope(document.nodes, "$", None, kernels, from_resource)
    nodes = scope.build()
    scope.check_geometry(False)
    goals = []
    nodes_by_label, ids = scope.positions, scope.ids
    for position, form in enumerate(document.goals):
        found = nodes_by_label.get(form.id)
        if found is None:
            hint = suggest(form.id, nodes_by_label)
            path = f"$.goals[{position}].id"
            raise InvalidPlan(f"no node has the id {clip(form.id)}{hint}", path)
        if type(document.nodes[found]) is ClosureForm:
            path = f"$.goals[{position}].id"
            raise InvalidPlan("a goal must be a value, not the body of a loop", path)
        if form.operation == "save" or not form.name.isascii():
            _check_goal_name(form, f"$.goals[{position}].name")
        goals.append(model.Goal(form.operation, ids[found], form.name))
    return WorkPlan(nodes, tuple(goals), kernels.imports)


def _check_goal_name(form: wire.GoalForm, path: str) -> None:
    if not is_encodable(form.name):
        raise InvalidPlan("a name has a lone surrogate", path)
    if form.operation != "save":
        return
    if not form.name:
        raise InvalidPlan("a save goal needs a file name", path)
    if "\0" in form.name or form.name.rpartition("/")[2] in ("", ".", ".."):
        raise InvalidPlan(f"expected the name of a file, found {clip(form.name)}", path)


def _plain_needs(
    form: OperationForm, arity: tuple[int, int] | None, positions: Mapping[str, int]
) -> Sequence[int] | None:
    """Return the positions of the arguments of a plain operation; None if something is wrong."""
    arguments = form.arguments
    if arity is None or not arguments:
        return None
    count = len(arguments)
    if not arity[0] <= count <= arity[1]:
        return None
    try:
        if count == 2:
            return positions[arguments["0"]], positions[arguments["1"]]
        if count == 1:
            return (positions[arguments["0"]],)
        return [positions[arguments[str(place)]] for place in range(count)]
    except KeyError:
        return None


class _Scope:
    """The nodes of a document or of one closure's body."""

    def __init__(
        self,
        forms: list[NodeForm],
        path: str,
        names: frozenset[str] | None,
        kernels: VisibleKernels,
        from_resource: bool,
        depth: int = 0,
    ) -> None:
        self.forms = forms
        self._prefix = path
        self.names = names
        self.kernels = kernels
        self.from_resource = from_resource
        self.depth = depth
        self.positions: dict[str, int] = {}
        self.ids: list[OperationId] = []
        self._closures = {
            position for position, form in enumerate(forms) if isinstance(form, ClosureForm)
        }
        self._bodies: dict[int, tuple[_Scope, dict[OperationId, Node]]] = {}
        self._constants: dict[int, Scalar] = {}
        self._loads = False
        self._unbound: int | None = None

    def build(self) -> dict[OperationId, Node]:
        """Check all nodes and create them, each after its arguments."""
        forms = self.forms
        labels = [form.id for form in forms]
        buffers = {getattr(form, "buffer_id", UNSET) for form in forms}
        self.positions = dict(zip(labels, range(len(labels)), strict=True))
        if len(self.positions) < len(labels) or not (
            buffers <= _NO_BUFFERS and all(map(str.isascii, labels))
        ):
            self._check_labels()
        needs, in_order = self._check_all()
        order: Sequence[int] = range(len(forms))
        if not in_order:
            try:
                order = topological_order(dict(enumerate(needs)))
            except Cycle as cycle:
                members = [position for position in cycle.members if isinstance(position, int)]
                self._raise_cycle(members, cycle)
        return self._create(order, needs)

    def _check_labels(self) -> None:
        """Check that ids are unique, and all labels Unicode."""
        positions: dict[str, int] = {}
        for position, form in enumerate(self.forms):
            if not is_encodable(form.id):
                raise self._invalid(position, ".id", "the id has a lone surrogate")
            label = getattr(form, "buffer_id", None)
            if isinstance(label, str) and not is_encodable(label):
                raise self._invalid(position, ".buffer_id", "a name has a lone surrogate")
            if positions.setdefault(form.id, position) != position:
                raise self._invalid(position, ".id", f"duplicate id {clip(form.id)}")

    def _check_all(self) -> tuple[list[Sequence[int]], bool]:
        """Return the positions of the nodes that each node needs, and whether they come before it.

        Plain operations are checked here; for all others, and to say what is wrong, there is
        `_check`.
        """
        arities: dict[str, tuple[int, int] | None] = {}
        positions, closures = self.positions, self._closures
        needs: list[Sequence[int]] = []
        in_order = True
        for position, form in enumerate(self.forms):
            found: Sequence[int] | None = None
            if type(form) is OperationForm:
                if form.operator not in arities:
                    arities[form.operator] = self._plain_arity(form.operator)
                found = _plain_needs(form, arities[form.operator], positions)
                if found is not None and closures and not closures.isdisjoint(found):
                    found = None
            if found is None:
                found = self._check(position, form)
            needs.append(found)
            if in_order and found and max(found) >= position:
                in_order = False
        return needs, in_order

    def _plain_arity(self, operator: str) -> tuple[int, int] | None:
        """Return the least and most arguments of a kernel that only computes; else None."""
        signature = self.kernels.find(operator)
        if signature is None or signature.role is not Role.COMPUTE:
            return None
        most = signature.maximum
        return signature.minimum, sys.maxsize if most is None else most

    def check_geometry(self, inherited: bool) -> None:
        """Raise InvalidPlan for geometry without images; `inherited`: an outer scope loads one."""
        loads = inherited or self._loads
        if self._unbound is not None and not loads:
            form = self.forms[self._unbound]
            name = form.operator if isinstance(form, OperationForm) else ""
            text = (
                f"{clip(name)} takes its geometry from the images that the plan loads, and it"
                " loads none; load one, or give an image as argument"
            )
            raise self._invalid(self._unbound, "", text)
        for scope, _ in self._bodies.values():
            scope.check_geometry(loads)

    def _path(self, position: int) -> str:
        return f"{self._prefix}.nodes[{position}]"

    def _invalid(self, position: int, field: str, message: str) -> InvalidPlan:
        return InvalidPlan(message, self._path(position) + field)

    def _check(self, position: int, form: NodeForm) -> list[int]:
        """Check one node by itself and return the positions of the nodes that it needs."""
        if isinstance(form, OperationForm):
            return self._check_operation(position, form)
        if isinstance(form, wire.ConstantForm):
            path = self._path(position)
            self._constants[position] = read_constant(form, path, self.from_resource)
            return []
        if isinstance(form, wire.ParameterForm):
            self._check_parameter(position, form)
            return []
        return self._check_closure(position, form)

    def _check_operation(self, position: int, form: OperationForm) -> list[int]:
        signature = self.kernels.find(form.operator)
        if signature is None:
            signature = self.kernels.require(form.operator, f"{self._path(position)}.operator")
        arguments = form.arguments or {}
        count = len(arguments)
        needs = []
        positions = self.positions
        for key in _POSITIONS[:count] if count <= len(_POSITIONS) else map(str, range(count)):
            label = arguments.get(key)
            if label is None:
                raise self._wrong_arguments(position, count)
            need = positions.get(label)
            if need is None:
                raise self._unknown(label, position, f".arguments.{key}")
            needs.append(need)
        most = signature.maximum
        if count < signature.minimum or (most is not None and count > most):
            self._raise_arity(position, signature, count)
        loop = signature.role is not Role.COMPUTE and self._check_role(position, signature, needs)
        for argument, need in enumerate(needs) if self._closures else ():
            if need in self._closures and not (loop and argument == 0):
                text = "the body of a loop can only be the first argument of a loop"
                raise self._invalid(position, f".arguments.{argument}", text)
        return needs

    def _check_role(self, position: int, signature: Signature, needs: list[int]) -> bool:
        """Check what the role requires, and return whether the operation is a loop."""
        if signature.role is Role.SAVE:
            text = "files are written by save goals, not by operations"
            raise self._invalid(position, ".operator", text)
        if signature.role is Role.LOAD:
            self._loads = True
        if takes_geometry(signature, len(needs)) and self._unbound is None:
            self._unbound = position
        if signature.role not in (Role.MAP, Role.FOLD):
            return False
        body = self.forms[needs[0]]
        if not isinstance(body, ClosureForm):
            text = "the first argument of a loop must be a closure"
            raise self._invalid(position, ".arguments.0", text)
        if signature.role is Role.FOLD and ACCUMULATOR not in (body.captures or {}):
            text = f"the closure of a fold must capture its first value as {ACCUMULATOR!r}"
            raise self._invalid(position, ".arguments.0", text)
        return True

    def _check_parameter(self, position: int, form: wire.ParameterForm) -> None:
        if self.names is None:
            text = "a parameter is only allowed in the nodes of a closure"
            raise self._invalid(position, "", text)
        if form.name not in self.names:
            hint = suggest(form.name, sorted(self.names))
            text = f"{clip(form.name)} is neither the closure's variable nor captured{hint}"
            raise self._invalid(position, ".name", text)

    def _check_closure(self, position: int, form: ClosureForm) -> list[int]:
        if self.depth == MAX_LOOP_DEPTH:
            raise self._invalid(position, "", f"loops are nested deeper than {MAX_LOOP_DEPTH}")
        captures = form.captures or {}
        if not all(is_encodable(name) for name in (form.variable, *captures)):
            raise self._invalid(position, "", "a name has a lone surrogate")
        if form.variable in captures:
            text = f"{clip(form.variable)} is the variable and cannot be captured too"
            raise self._invalid(position, ".captures", text)
        needs = []
        for name, label in captures.items():
            need = self.positions.get(label)
            if need is None:
                raise self._unknown(label, position, f".captures.{name}")
            if need in self._closures:
                text = "the body of a loop cannot be captured"
                raise self._invalid(position, f".captures.{name}", text)
            needs.append(need)
        names = frozenset((form.variable, *captures))
        body = _Scope(
            form.nodes,
            self._path(position),
            names,
            self.kernels,
            self.from_resource,
            self.depth + 1,
        )
        nodes = body.build()
        result = body.positions.get(form.result)
        if result is None:
            hint = suggest(form.result, body.positions)
            text = f"no node of the closure has the id {clip(form.result)}{hint}"
            raise self._invalid(position, ".result", text)
        if type(form.nodes[result]) is ClosureForm:
            raise self._invalid(position, ".result", "a closure must result in a value")
        self._bodies[position] = body, nodes
        return needs

    def _unknown(self, label: str, position: int, field: str) -> InvalidPlan:
        hint = suggest(label, self.positions)
        return self._invalid(position, field, f"no node has the id {clip(label)}{hint}")

    def _wrong_arguments(self, position: int, count: int) -> InvalidPlan:
        form = self.forms[position]
        keys = list(form.arguments or ()) if isinstance(form, OperationForm) else []
        wanted = {str(position) for position in range(count)}
        wrong = next(key for key in keys if key not in wanted)
        text = f'argument keys must be exactly "0" to "{count - 1}", not {clip(wrong)}'
        return self._invalid(position, ".arguments", text)

    def _raise_arity(self, position: int, signature: Signature, count: int) -> None:
        least, most = signature.minimum, signature.maximum
        if most is None:
            wanted = f"at least {least}"
        else:
            wanted = str(least) if least == most else f"{least} to {most}"
        plural = "" if wanted.endswith(" 1") or wanted == "1" else "s"
        text = f"{signature.qualified} takes {wanted} argument{plural}, not {count}"
        raise self._invalid(position, ".arguments", text)

    def _raise_cycle(self, members: list[int], cycle: Cycle) -> None:
        start = members.index(min(members))
        turned = members[start:] + members[: start + 1]
        labels = [clip(self.forms[position].id, 24) for position in turned]
        if len(labels) > 8:
            labels = [*labels[:4], "…", *labels[-3:]]
        text = f"operations form a cycle, each needs the next: {' -> '.join(labels)}"
        raise self._invalid(turned[0], "", text) from cycle

    def _create(
        self, order: Sequence[int], needs: Sequence[Sequence[int]]
    ) -> dict[OperationId, Node]:
        """Create the nodes; nodes of equal content become one."""
        ids = self.ids = [OperationId("")] * len(self.forms)
        forms = self.forms
        quoted: dict[str, str] = {}
        nodes: dict[OperationId, Node] = {}
        mismatch = False
        for position in order:
            form = forms[position]
            node: Node
            try:
                if type(form) is OperationForm:
                    operator = form.operator
                    if operator not in quoted:
                        quoted[operator] = quote(operator)
                    arguments = tuple([ids[need] for need in needs[position]])
                    name = quoted_operation_id(quoted[operator], arguments)
                    if name not in nodes:
                        buffer = form.buffer_id
                        node = model.Operation(
                            name, operator, arguments, None if buffer is UNSET else buffer
                        )
                        nodes[name] = node
                elif type(form) is wire.ConstantForm:
                    value = self._constants[position]
                    name = constant_id(value)
                    buffer = form.buffer_id
                    node = model.Constant(name, value, None if buffer is UNSET else buffer)
                    nodes.setdefault(name, node)
                elif type(form) is wire.ParameterForm:
                    name = parameter_id(form.name)
                    nodes.setdefault(name, model.Parameter(name, form.name))
                else:
                    node = self._close(position, [ids[need] for need in needs[position]])
                    name = node.id
                    nodes.setdefault(name, node)
            except UnicodeEncodeError as error:
                text = "a text has a lone surrogate"
                raise self._invalid(position, "", text) from error
            ids[position] = name
            mismatch = mismatch or name != form.id
        if mismatch:
            self._check_ids()
        return nodes

    def _check_ids(self) -> None:
        """Raise InvalidPlan for an id that is not that of its node; other labels are free."""
        for position, form in enumerate(self.forms):
            if len(form.id) == 64 and form.id != self.ids[position] and _HEX_ID.match(form.id):
                text = f"expected the id of the node's content, {self.ids[position]}"
                raise self._invalid(position, ".id", f"{text}; correct the id, or use a label")

    def _close(self, position: int, captured: list[OperationId]) -> model.Closure:
        form = self.forms[position]
        if not isinstance(form, ClosureForm):  # pragma: no branch
            raise TypeError(form)
        body, nodes = self._bodies[position]
        captures = dict(zip(form.captures or (), captured, strict=True))
        result = body.ids[body.positions[form.result]]
        name = closure_id(form.variable, captures, result)
        return model.Closure(name, form.variable, captures, nodes, result)
