"""From a document to a plan: labels become ids, and everything wrong is found, in order.

The first error in the order of the document is reported, one kind of check after the other:
references, kernels and arities; cycles; ids; geometry; goals.
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
"""Loops inside loops; a bound on recursion, far beyond what a person writes."""

_POSITIONS = tuple([str(position) for position in range(16)])
_HEX_ID = re.compile(r"[0-9a-fA-F]{64}\Z")


def build(document: Document, index: KernelIndex, *, from_resource: bool = False) -> WorkPlan:
    """Check a document and name its nodes; raises InvalidPlan."""
    kernels = VisibleKernels(index, tuple(document.imports))
    kernels.check_imports()
    scope = _Scope(document.nodes, "$", None, kernels, from_resource)
    nodes = scope.build()
    scope.check_geometry(False)
    goals = []
    for place, form in enumerate(document.goals):
        path = f"$.goals[{place}]"
        found = scope.places.get(form.id)
        if found is None:
            hint = suggest(form.id, scope.places)
            raise InvalidPlan(f"no node has the id {clip(form.id)}{hint}", f"{path}.id")
        if isinstance(document.nodes[found], ClosureForm):
            raise InvalidPlan("a goal must be a value, not a loop's body", f"{path}.id")
        _check_goal_name(form, f"{path}.name")
        goals.append(Goal(form.operation, scope.ids[found], form.name))
    return WorkPlan(nodes, tuple(goals), kernels.imports)


def _check_goal_name(form: GoalForm, path: str) -> None:
    if not _encodes(form.name):
        raise InvalidPlan("a name has a lone surrogate", path)
    if form.operation != "save":
        return
    if not form.name:
        raise InvalidPlan("a save goal needs a file name", path)
    if "\0" in form.name or form.name.rpartition("/")[2] in ("", ".", ".."):
        raise InvalidPlan(f"{clip(form.name)} is no name of a file", path)


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
        self.path = path
        self.names = names
        self.kernels = kernels
        self.from_resource = from_resource
        self.depth = depth
        self.places: dict[str, int] = {}
        self.ids: list[OperationId] = []
        self._closures = {
            place for place, form in enumerate(forms) if isinstance(form, ClosureForm)
        }
        self._bodies: dict[int, tuple[_Scope, dict[OperationId, Node]]] = {}
        self._constants: dict[int, Scalar] = {}
        self._loads = False
        self._unbound: int | None = None

    def build(self) -> dict[OperationId, Node]:
        """Check all nodes and make them, each after its arguments."""
        for place, form in enumerate(self.forms):
            if not _encodes(form.id):
                raise InvalidPlan("the id has a lone surrogate", f"{self._at(place)}.id")
            label = getattr(form, "buffer_id", None)
            if isinstance(label, str) and not _encodes(label):
                raise InvalidPlan("a name has a lone surrogate", f"{self._at(place)}.buffer_id")
            if self.places.setdefault(form.id, place) != place:
                raise InvalidPlan(f"the id {clip(form.id)} is used twice", f"{self._at(place)}.id")
        needs = {place: self._check(place, form) for place, form in enumerate(self.forms)}
        try:
            order = topological_order(needs)
        except Cycle as cycle:
            members = [place for place in cycle.members if isinstance(place, int)]
            self._refuse_cycle(members, cycle)
        return self._name(order, needs)

    def check_geometry(self, inherited: bool) -> None:
        """Refuse geometry that no image can give; `inherited`: an enclosing scope loads one."""
        loads = inherited or self._loads
        if self._unbound is not None and not loads:
            form = self.forms[self._unbound]
            name = form.operator if isinstance(form, OperationForm) else ""
            raise InvalidPlan(
                f"{clip(name)} takes its geometry from the images that the plan loads, and it"
                " loads none; load one, or give an image as argument",
                self._at(self._unbound),
            )
        for scope, _ in self._bodies.values():
            scope.check_geometry(loads)

    def _at(self, place: int) -> str:
        return f"{self.path}.nodes[{place}]"

    def _check(self, place: int, form: NodeForm) -> list[int]:
        """Check one node by itself and give the places of the nodes that it needs."""
        if isinstance(form, OperationForm):
            return self._check_operation(place, form)
        if isinstance(form, ConstantForm):
            self._constants[place] = read_constant(form, self._at(place), self.from_resource)
            return []
        if isinstance(form, ParameterForm):
            self._check_parameter(place, form)
            return []
        return self._check_closure(place, form)

    def _check_operation(self, place: int, form: OperationForm) -> list[int]:
        signature = self.kernels.find(form.operator)
        if signature is None:
            signature = self.kernels.require(form.operator, f"{self._at(place)}.operator")
        arguments = form.arguments
        count = len(arguments)
        needs = []
        places = self.places
        for key in _POSITIONS[:count] if count <= len(_POSITIONS) else map(str, range(count)):
            label = arguments.get(key)
            if label is None:
                raise self._wrong_arguments(place, count)
            need = places.get(label)
            if need is None:
                raise self._unknown(label, place, f".arguments.{key}")
            needs.append(need)
        most = signature.maximum
        if count < signature.minimum or (most is not None and count > most):
            self._refuse_arity(place, signature, count)
        loop = signature.role is not Role.COMPUTE and self._check_role(place, signature, needs)
        for position, need in enumerate(needs) if self._closures else ():
            if need in self._closures and not (loop and position == 0):
                raise InvalidPlan(
                    "a loop's body can only be the first argument of a loop",
                    f"{self._at(place)}.arguments.{position}",
                )
        return needs

    def _check_role(self, place: int, signature: Signature, needs: list[int]) -> bool:
        """Check what the role asks for, and tell whether it is a loop."""
        if signature.role is Role.SAVE:
            raise InvalidPlan(
                "files are written by save goals, not by operations",
                f"{self._at(place)}.operator",
            )
        if signature.role is Role.LOAD:
            self._loads = True
        if takes_geometry(signature, len(needs)) and self._unbound is None:
            self._unbound = place
        if signature.role not in (Role.MAP, Role.FOLD):
            return False
        body = self.forms[needs[0]]
        if not isinstance(body, ClosureForm):
            raise InvalidPlan(
                "the first argument of a loop must be a closure",
                f"{self._at(place)}.arguments.0",
            )
        if signature.role is Role.FOLD and ACCUMULATOR not in body.captures:
            raise InvalidPlan(
                f"the closure of a fold must capture its first value as {ACCUMULATOR!r}",
                f"{self._at(place)}.arguments.0",
            )
        return True

    def _check_parameter(self, place: int, form: ParameterForm) -> None:
        if self.names is None:
            raise InvalidPlan("a parameter can only stand in a closure's nodes", self._at(place))
        if form.name not in self.names:
            hint = suggest(form.name, sorted(self.names))
            raise InvalidPlan(
                f"{clip(form.name)} is neither the closure's variable nor captured{hint}",
                f"{self._at(place)}.name",
            )

    def _check_closure(self, place: int, form: ClosureForm) -> list[int]:
        path = self._at(place)
        if self.depth == MAX_LOOP_DEPTH:
            raise InvalidPlan(f"loops are nested deeper than {MAX_LOOP_DEPTH}", path)
        if not all(_encodes(name) for name in (form.variable, *form.captures)):
            raise InvalidPlan("a name has a lone surrogate", path)
        if form.variable in form.captures:
            raise InvalidPlan(
                f"{clip(form.variable)} is the variable and cannot be captured too",
                f"{path}.captures",
            )
        needs = []
        for name, label in form.captures.items():
            need = self.places.get(label)
            if need is None:
                raise self._unknown(label, place, f".captures.{name}")
            if need in self._closures:
                raise InvalidPlan("a loop's body cannot be captured", f"{path}.captures.{name}")
            needs.append(need)
        names = frozenset((form.variable, *form.captures))
        body = _Scope(form.nodes, path, names, self.kernels, self.from_resource, self.depth + 1)
        nodes = body.build()
        result = body.places.get(form.result)
        if result is None:
            hint = suggest(form.result, body.places)
            raise InvalidPlan(
                f"no node of the closure has the id {clip(form.result)}{hint}", f"{path}.result"
            )
        if type(form.nodes[result]) is ClosureForm:
            raise InvalidPlan("a closure must result in a value", f"{path}.result")
        self._bodies[place] = body, nodes
        return needs

    def _unknown(self, label: str, place: int, field: str) -> InvalidPlan:
        hint = suggest(label, self.places)
        return InvalidPlan(f"no node has the id {clip(label)}{hint}", self._at(place) + field)

    def _wrong_arguments(self, place: int, count: int) -> InvalidPlan:
        form = self.forms[place]
        keys = list(form.arguments) if isinstance(form, OperationForm) else []
        wanted = {str(position) for position in range(count)}
        wrong = next(key for key in keys if key not in wanted)
        return InvalidPlan(
            f'argument keys must be exactly "0" to "{count - 1}", not {clip(wrong)}',
            f"{self._at(place)}.arguments",
        )

    def _refuse_arity(self, place: int, signature: Signature, count: int) -> None:
        least, most = signature.minimum, signature.maximum
        if most is None:
            wanted = f"at least {least}"
        else:
            wanted = str(least) if least == most else f"{least} to {most}"
        plural = "" if wanted.endswith(" 1") or wanted == "1" else "s"
        raise InvalidPlan(
            f"{signature.qualified} takes {wanted} argument{plural}, not {count}",
            f"{self._at(place)}.arguments",
        )

    def _refuse_cycle(self, members: list[int], cycle: Cycle) -> None:
        start = members.index(min(members))
        turned = members[start:] + members[: start + 1]
        labels = [clip(self.forms[place].id, 24) for place in turned]
        if len(labels) > 8:
            labels = [*labels[:4], "…", *labels[-3:]]
        raise InvalidPlan(
            f"operations form a cycle, each needs the next: {' -> '.join(labels)}",
            self._at(turned[0]),
        ) from cycle

    def _name(self, order: list[int], needs: Mapping[int, list[int]]) -> dict[OperationId, Node]:
        """Make the nodes; nodes of equal content become one."""
        unset = OperationId("")
        ids = self.ids = [unset] * len(self.forms)
        operators: dict[str, str] = {}
        nodes: dict[OperationId, Node] = {}
        for place in order:
            form = self.forms[place]
            node: Node
            try:
                if type(form) is OperationForm:
                    operator = operators.get(form.operator)
                    if operator is None:
                        operator = operators[form.operator] = quote(form.operator)
                    arguments = tuple([ids[need] for need in needs[place]])
                    name = quoted_operation_id(operator, arguments)
                    node = Operation(name, form.operator, arguments, form.buffer_id)
                elif type(form) is ConstantForm:
                    value = self._constants[place]
                    name = constant_id(value)
                    node = Constant(name, value, form.buffer_id)
                elif type(form) is ParameterForm:
                    name = parameter_id(form.name)
                    node = Parameter(name, form.name)
                else:
                    node = self._close(place, [ids[need] for need in needs[place]])
                    name = node.id
            except UnicodeEncodeError as error:
                raise InvalidPlan("a text has a lone surrogate", self._at(place)) from error
            ids[place] = name
            nodes.setdefault(name, node)
        for place, form in enumerate(self.forms):
            if len(form.id) == 64 and form.id != ids[place] and _HEX_ID.match(form.id):
                raise InvalidPlan(
                    f"the id is not that of the node's content, which is {ids[place]}; correct"
                    " it or use a label",
                    f"{self._at(place)}.id",
                )
        return nodes

    def _close(self, place: int, captured: list[OperationId]) -> Closure:
        form = self.forms[place]
        if not isinstance(form, ClosureForm):  # pragma: no branch
            raise TypeError(form)
        body, nodes = self._bodies[place]
        captures = dict(zip(form.captures, captured, strict=True))
        result = body.ids[body.places[form.result]]
        name = closure_id(form.variable, captures, result)
        return Closure(name, form.variable, captures, nodes, result)


def _encodes(text: str) -> bool:
    """Tell whether a text is Unicode: lone surrogates are not."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)
