"""Checks a decoded document and returns its plan: labels become ids.

The kinds of checks run one after the other, and the first error of a kind in the order of the
document is raised: references, kernels and arities; cycles; ids; geometry; goals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from voxk8s.errors import InvalidPlan
from voxk8s.plan.canonical import quote
from voxk8s.plan.document.scalars import read_constant
from voxk8s.plan.document.wire import (
    ClosureForm,
    ConstantForm,
    Document,
    GoalForm,
    NodeForm,
    OperationForm,
    ParameterForm,
)
from voxk8s.plan.graph import Cycle, topological_order
from voxk8s.plan.identity import (
    closure_id,
    constant_id,
    parameter_id,
    quoted_operation_id,
)
from voxk8s.plan.model import (
    Closure,
    Constant,
    Goal,
    Node,
    Operation,
    OperationId,
    Parameter,
    Scalar,
    WorkPlan,
)
from voxk8s.plan.sequence_kernels import ACCUMULATOR
from voxk8s.plan.signature import KernelIndex, Role, Signature, takes_geometry
from voxk8s.plan.suggest import clip, suggest
from voxk8s.plan.visible_kernels import VisibleKernels

MAX_LOOP_DEPTH = 64
"""Most levels of nested loops: a bound on recursion, far beyond hand-written plans."""

_POSITIONS = tuple([str(position) for position in range(16)])
_HEX_ID = re.compile(r"[0-9a-fA-F]{64}\Z")


def validate_document(
    document: Document, index: KernelIndex, *, from_resource: bool = False
) -> WorkPlan:
    """Check a document and return its plan; raises InvalidPlan."""
    kernels = VisibleKernels(index, tuple(document.imports))
    kernels.check_imports()
    scope = _Scope(document.nodes, "$", None, kernels, from_resource)
    nodes = scope.build()
    scope.check_geometry(False)
    goals = []
    for position, form in enumerate(document.goals):
        path = f"$.goals[{position}]"
        found = scope.positions.get(form.id)
        if found is None:
            hint = suggest(form.id, scope.positions)
            raise InvalidPlan(f"no node has the id {clip(form.id)}{hint}", f"{path}.id")
        if isinstance(document.nodes[found], ClosureForm):
            raise InvalidPlan("a goal must be a value, not the body of a loop", f"{path}.id")
        _check_goal_name(form, f"{path}.name")
        goals.append(Goal(form.operation, scope.ids[found], form.name))
    return WorkPlan(nodes, tuple(goals), kernels.imports)


def _check_goal_name(form: GoalForm, path: str) -> None:
    if not _is_encodable(form.name):
        raise InvalidPlan("a name has a lone surrogate", path)
    if form.operation != "save":
        return
    if not form.name:
        raise InvalidPlan("a save goal needs a file name", path)
    if "\0" in form.name or form.name.rpartition("/")[2] in ("", ".", ".."):
        raise InvalidPlan(f"expected the name of a file, found {clip(form.name)}", path)


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
        for position, form in enumerate(self.forms):
            if not _is_encodable(form.id):
                raise InvalidPlan("the id has a lone surrogate", f"{self._path(position)}.id")
            label = getattr(form, "buffer_id", None)
            if isinstance(label, str) and not _is_encodable(label):
                raise InvalidPlan(
                    "a name has a lone surrogate", f"{self._path(position)}.buffer_id"
                )
            if self.positions.setdefault(form.id, position) != position:
                raise InvalidPlan(f"duplicate id {clip(form.id)}", f"{self._path(position)}.id")
        needs = {position: self._check(position, form) for position, form in enumerate(self.forms)}
        try:
            order = topological_order(needs)
        except Cycle as cycle:
            members = [position for position in cycle.members if isinstance(position, int)]
            self._raise_cycle(members, cycle)
        return self._create(order, needs)

    def check_geometry(self, inherited: bool) -> None:
        """Raise InvalidPlan for geometry without images; `inherited`: an outer scope loads one."""
        loads = inherited or self._loads
        if self._unbound is not None and not loads:
            form = self.forms[self._unbound]
            name = form.operator if isinstance(form, OperationForm) else ""
            raise InvalidPlan(
                f"{clip(name)} takes its geometry from the images that the plan loads, and it"
                " loads none; load one, or give an image as argument",
                self._path(self._unbound),
            )
        for scope, _ in self._bodies.values():
            scope.check_geometry(loads)

    def _path(self, position: int) -> str:
        return f"{self._prefix}.nodes[{position}]"

    def _check(self, position: int, form: NodeForm) -> list[int]:
        """Check one node by itself and return the positions of the nodes that it needs."""
        if isinstance(form, OperationForm):
            return self._check_operation(position, form)
        if isinstance(form, ConstantForm):
            self._constants[position] = read_constant(
                form, self._path(position), self.from_resource
            )
            return []
        if isinstance(form, ParameterForm):
            self._check_parameter(position, form)
            return []
        return self._check_closure(position, form)

    def _check_operation(self, position: int, form: OperationForm) -> list[int]:
        signature = self.kernels.find(form.operator)
        if signature is None:
            signature = self.kernels.require(form.operator, f"{self._path(position)}.operator")
        arguments = form.arguments
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
                raise InvalidPlan(
                    "the body of a loop can only be the first argument of a loop",
                    f"{self._path(position)}.arguments.{argument}",
                )
        return needs

    def _check_role(self, position: int, signature: Signature, needs: list[int]) -> bool:
        """Check what the role requires, and return whether the operation is a loop."""
        if signature.role is Role.SAVE:
            raise InvalidPlan(
                "files are written by save goals, not by operations",
                f"{self._path(position)}.operator",
            )
        if signature.role is Role.LOAD:
            self._loads = True
        if takes_geometry(signature, len(needs)) and self._unbound is None:
            self._unbound = position
        if signature.role not in (Role.MAP, Role.FOLD):
            return False
        body = self.forms[needs[0]]
        if not isinstance(body, ClosureForm):
            raise InvalidPlan(
                "the first argument of a loop must be a closure",
                f"{self._path(position)}.arguments.0",
            )
        if signature.role is Role.FOLD and ACCUMULATOR not in body.captures:
            raise InvalidPlan(
                f"the closure of a fold must capture its first value as {ACCUMULATOR!r}",
                f"{self._path(position)}.arguments.0",
            )
        return True

    def _check_parameter(self, position: int, form: ParameterForm) -> None:
        if self.names is None:
            raise InvalidPlan(
                "a parameter is only allowed in the nodes of a closure", self._path(position)
            )
        if form.name not in self.names:
            hint = suggest(form.name, sorted(self.names))
            raise InvalidPlan(
                f"{clip(form.name)} is neither the closure's variable nor captured{hint}",
                f"{self._path(position)}.name",
            )

    def _check_closure(self, position: int, form: ClosureForm) -> list[int]:
        path = self._path(position)
        if self.depth == MAX_LOOP_DEPTH:
            raise InvalidPlan(f"loops are nested deeper than {MAX_LOOP_DEPTH}", path)
        if not all(_is_encodable(name) for name in (form.variable, *form.captures)):
            raise InvalidPlan("a name has a lone surrogate", path)
        if form.variable in form.captures:
            raise InvalidPlan(
                f"{clip(form.variable)} is the variable and cannot be captured too",
                f"{path}.captures",
            )
        needs = []
        for name, label in form.captures.items():
            need = self.positions.get(label)
            if need is None:
                raise self._unknown(label, position, f".captures.{name}")
            if need in self._closures:
                raise InvalidPlan(
                    "the body of a loop cannot be captured", f"{path}.captures.{name}"
                )
            needs.append(need)
        names = frozenset((form.variable, *form.captures))
        body = _Scope(form.nodes, path, names, self.kernels, self.from_resource, self.depth + 1)
        nodes = body.build()
        result = body.positions.get(form.result)
        if result is None:
            hint = suggest(form.result, body.positions)
            raise InvalidPlan(
                f"no node of the closure has the id {clip(form.result)}{hint}", f"{path}.result"
            )
        if type(form.nodes[result]) is ClosureForm:
            raise InvalidPlan("a closure must result in a value", f"{path}.result")
        self._bodies[position] = body, nodes
        return needs

    def _unknown(self, label: str, position: int, field: str) -> InvalidPlan:
        hint = suggest(label, self.positions)
        return InvalidPlan(f"no node has the id {clip(label)}{hint}", self._path(position) + field)

    def _wrong_arguments(self, position: int, count: int) -> InvalidPlan:
        form = self.forms[position]
        keys = list(form.arguments) if isinstance(form, OperationForm) else []
        wanted = {str(position) for position in range(count)}
        wrong = next(key for key in keys if key not in wanted)
        return InvalidPlan(
            f'argument keys must be exactly "0" to "{count - 1}", not {clip(wrong)}',
            f"{self._path(position)}.arguments",
        )

    def _raise_arity(self, position: int, signature: Signature, count: int) -> None:
        least, most = signature.minimum, signature.maximum
        if most is None:
            wanted = f"at least {least}"
        else:
            wanted = str(least) if least == most else f"{least} to {most}"
        plural = "" if wanted.endswith(" 1") or wanted == "1" else "s"
        raise InvalidPlan(
            f"{signature.qualified} takes {wanted} argument{plural}, not {count}",
            f"{self._path(position)}.arguments",
        )

    def _raise_cycle(self, members: list[int], cycle: Cycle) -> None:
        start = members.index(min(members))
        turned = members[start:] + members[: start + 1]
        labels = [clip(self.forms[position].id, 24) for position in turned]
        if len(labels) > 8:
            labels = [*labels[:4], "…", *labels[-3:]]
        raise InvalidPlan(
            f"operations form a cycle, each needs the next: {' -> '.join(labels)}",
            self._path(turned[0]),
        ) from cycle

    def _create(self, order: list[int], needs: Mapping[int, list[int]]) -> dict[OperationId, Node]:
        """Create the nodes; nodes of equal content become one."""
        unset = OperationId("")
        ids = self.ids = [unset] * len(self.forms)
        operators: dict[str, str] = {}
        nodes: dict[OperationId, Node] = {}
        for position in order:
            form = self.forms[position]
            node: Node
            try:
                if type(form) is OperationForm:
                    operator = operators.get(form.operator)
                    if operator is None:
                        operator = operators[form.operator] = quote(form.operator)
                    arguments = tuple([ids[need] for need in needs[position]])
                    name = quoted_operation_id(operator, arguments)
                    node = Operation(name, form.operator, arguments, form.buffer_id)
                elif type(form) is ConstantForm:
                    value = self._constants[position]
                    name = constant_id(value)
                    node = Constant(name, value, form.buffer_id)
                elif type(form) is ParameterForm:
                    name = parameter_id(form.name)
                    node = Parameter(name, form.name)
                else:
                    node = self._close(position, [ids[need] for need in needs[position]])
                    name = node.id
            except UnicodeEncodeError as error:
                raise InvalidPlan("a text has a lone surrogate", self._path(position)) from error
            ids[position] = name
            nodes.setdefault(name, node)
        for position, form in enumerate(self.forms):
            if len(form.id) == 64 and form.id != ids[position] and _HEX_ID.match(form.id):
                raise InvalidPlan(
                    f"expected the id of the node's content, {ids[position]}; correct the id,"
                    " or use a label",
                    f"{self._path(position)}.id",
                )
        return nodes

    def _close(self, position: int, captured: list[OperationId]) -> Closure:
        form = self.forms[position]
        if not isinstance(form, ClosureForm):  # pragma: no branch
            raise TypeError(form)
        body, nodes = self._bodies[position]
        captures = dict(zip(form.captures, captured, strict=True))
        result = body.ids[body.positions[form.result]]
        name = closure_id(form.variable, captures, result)
        return Closure(name, form.variable, captures, nodes, result)


def _is_encodable(text: str) -> bool:
    """Whether a text can be encoded: lone surrogates cannot."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)
