"""Compiles the text of a program to a work plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from voxk8s.errors import InvalidProgram
from voxk8s.imgql.expectations import read_expectations
from voxk8s.imgql.goal_checks import check_image_file, check_names, check_picture, is_picture
from voxk8s.imgql.lower.expressions import ExpressionLowering
from voxk8s.imgql.lower.global_scope import GlobalScope, SymbolTable, definition
from voxk8s.imgql.lower.imports import ParsedProgram, ProgramReader, ReadFile
from voxk8s.imgql.lower.ir import Function, GoalFunction, GoalPlace, declare
from voxk8s.imgql.lower.library_functions import LibraryFunctions
from voxk8s.imgql.lower.name_uses import NameUse, NameUses
from voxk8s.imgql.reduce.interpreter import CallSite
from voxk8s.imgql.reduce.liveness import analyse_liveness
from voxk8s.imgql.reduce.node_table import NodeTable, postorder
from voxk8s.imgql.reduce.plan_builder import PlanBuilder, WrittenGoal
from voxk8s.imgql.reduce.typecheck import check_types
from voxk8s.imgql.syntax.diagnostics import Diagnostic, Diagnostics
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import (
    Chain,
    Define,
    Expect,
    Header,
    OutputCommand,
    Token,
    string_value,
)
from voxk8s.imgql.written_files import check_written
from voxk8s.plan.expectation import Expectation
from voxk8s.plan.gc_pause import without_gc
from voxk8s.plan.keys.result_keys import file_suffix, save_location_id
from voxk8s.plan.model import Closure, Goal, Node, Operation, OperationId, WorkPlan
from voxk8s.plan.signature import KernelIndex, Role, takes_geometry
from voxk8s.plan.source_location import MAX_CALLS, Call, SourceLocation


class CompiledProgram(msgspec.Struct, frozen=True):
    """A compiled program.

    `origins` has the places of operations, those inside loops included, and of saved files, the
    latter by `save_place`.
    """

    plan: WorkPlan
    origins: Mapping[OperationId, SourceLocation]
    warnings: tuple[Diagnostic, ...]
    expectations: tuple[Expectation, ...] = ()


class ProgramAnalysis(msgspec.Struct, frozen=True):
    """What is known of a program, a wrong one included.

    `names` are those of all its files, as far as they could be read. `parsed` are its commands.
    """

    diagnostics: tuple[Diagnostic, ...]
    names: tuple[NameUse, ...]
    parsed: ParsedProgram


@without_gc()
def compile_program(
    text: str,
    *,
    index: KernelIndex,
    symbols: SymbolTable,
    name: str = "<program>",
    parameters: Mapping[str, str] | None = None,
    read_file: ReadFile | None = None,
    skips: bool = False,
) -> CompiledProgram:
    """Compile an ImgQL program.

    `symbols` returns the operators of a namespace; `parameters` are the values of `$NAME`.
    `read_file` reads an imported file, by its path relative to the folder of `name`; it raises
    OSError, ValueError or LookupError if it cannot. `skips` is whether runs may leave out items of
    loops that fail: what is combined over these is not expanded then. Raises InvalidProgram with
    all errors.
    """
    diagnostics = Diagnostics()
    program = _Program(
        text, index, symbols, name, parameters or {}, read_file, diagnostics, NameUses()
    )
    diagnostics.raise_if_errors()
    return program.build_plan(skips=skips)


@without_gc()
def check_program(
    text: str,
    *,
    index: KernelIndex,
    symbols: SymbolTable,
    name: str = "<program>",
    parameters: Mapping[str, str] | None = None,
    read_file: ReadFile | None = None,
) -> tuple[Diagnostic, ...]:
    """Return the errors and warnings of a program; arguments as for `compile_program`."""
    return _check(
        text, index, symbols, name, parameters or {}, read_file, uses=NameUses()
    ).diagnostics


@without_gc()
def analyse_program(
    text: str,
    *,
    index: KernelIndex,
    symbols: SymbolTable,
    name: str = "<program>",
    parameters: Mapping[str, str] | None = None,
    read_file: ReadFile | None = None,
) -> ProgramAnalysis:
    """Return the errors, warnings and names of a program; arguments as for `compile_program`."""
    uses = NameUses(wanted=True)
    return _check(text, index, symbols, name, parameters or {}, read_file, uses)


def _check(
    text: str,
    index: KernelIndex,
    symbols: SymbolTable,
    name: str,
    parameters: Mapping[str, str],
    read_file: ReadFile | None,
    uses: NameUses,
) -> ProgramAnalysis:
    diagnostics = Diagnostics()
    program = _Program(text, index, symbols, name, parameters, read_file, diagnostics, uses)
    if not diagnostics.errors:
        with suppress(InvalidProgram):  # its errors are in `diagnostics`
            program.build_plan()
    return ProgramAnalysis(diagnostics.all(), uses.all(), program.parsed)


class _Program:
    """A program whose names are resolved; it must not be built if there are errors."""

    def __init__(
        self,
        text: str,
        index: KernelIndex,
        symbols: SymbolTable,
        name: str,
        parameters: Mapping[str, str],
        read_file: ReadFile | None,
        diagnostics: Diagnostics,
        uses: NameUses,
    ) -> None:
        self._diagnostics = diagnostics
        self._uses = uses
        self._index = index
        reader = ProgramReader(index, parameters, read_file, diagnostics)
        parsed = self.parsed = reader.read(name, text)
        self._library = LibraryFunctions()
        self._globals = GlobalScope(index, symbols, parsed.imports, self._library)
        self._outputs: list[GoalFunction] = []
        self._expected: list[tuple[Source, Expect]] = []
        functions = self._lower(parsed)
        self._values = [each for each in functions if not each.parameters]
        check_names(self._outputs, diagnostics)
        self.expectations = read_expectations(self._expected, self._outputs, diagnostics)
        outputs = [each.function for each in self._outputs]
        self._values += outputs
        writes = bool(self._written)
        if analyse_liveness([*functions, *outputs], diagnostics, writes=writes):
            check_written(self._written, [*self._values], name, diagnostics)
            check_types(functions, self._outputs, self._globals, diagnostics)

    def _define(self, order: int, source: Source, define: Define) -> Function:
        name = define.header.name
        if not define.header.parameters and name.type in ("OP", "EQUAL"):
            self._diagnostics.error(
                source,
                name,
                f"`{name.text}` is an operator: expected one or two parameters",
                f"write `let {name.text}(a, b) = …`, or choose a name of letters for a value",
            )
        function = declare(source, define)
        self._globals.define(order, definition(function))
        if self._uses.wanted:
            self._uses.declare(source, name, "function" if function.parameters else "value")
        return function

    def _lower(self, parsed: ParsedProgram) -> list[Function]:
        """Return the functions of all definitions; lower the library functions that they call."""
        waiting: list[tuple[Function, int, Header | None, Chain]] = []
        for order, (source, command) in enumerate(parsed.commands):
            if isinstance(command, Define):
                function = self._define(order, source, command)
                waiting.append((function, order, command.header, command.value))
            elif isinstance(command, OutputCommand):
                label = command.label
                function = Function("", source, command.start, label.end, 0)
                waiting.append((function, order, None, command.value))
                self._outputs.append(
                    GoalFunction(
                        command.kind, string_value(label), source, label.start, label.end, function
                    )
                )
                self._check_label(command.kind, source, label)
            elif isinstance(command, Expect):
                self._expected.append((source, command))
        lowering = ExpressionLowering(self._globals, self._diagnostics, self._uses)
        for function, order, header, value in waiting:
            lowering.body(function, order, (header and header.parameters) or (), value)
        functions = [function for function, *_ in waiting]
        self._lower_library(lowering, functions)
        self._written = lowering.written
        return [function for function, _, header, _ in waiting if header is not None]

    def _lower_library(self, lowering: ExpressionLowering, functions: Sequence[Function]) -> None:
        seen = set(functions)
        waiting = list(functions)
        while waiting:
            for callee in waiting.pop().callees:
                if callee in seen:
                    continue
                seen.add(callee)
                waiting.append(callee)
                define = self._library.definition(callee)
                if define is not None:
                    lowering.body(callee, 0, define.header.parameters or (), define.value)

    def _check_label(self, kind: str, source: Source, label: Token) -> None:
        if kind == "save" and not string_value(label):
            self._diagnostics.error(source, label, "expected a file name, found an empty string")

    def build_plan(self, *, skips: bool = False) -> CompiledProgram:
        """Return the plan; raises InvalidProgram."""
        builder = PlanBuilder(self._globals, self._diagnostics, self._values, skips=skips)
        found = builder.nodes([each.function for each in self._outputs])
        written = builder.written()
        places = [*self._outputs, *map(_place, written)]
        found += [each.result for each in written]
        goals = tuple(
            Goal("print" if each.kind == "print" else "save", node, each.label)
            for each, node in zip(places, found, strict=True)
        )
        table = builder.table
        nodes = {
            name: table.nodes[name] for name in postorder((goal.id for goal in goals), table.needed)
        }
        plan = WorkPlan(nodes, goals, tuple(self._globals.imports))
        self._check_geometry(table, plan)
        for place, node in zip(places, found, strict=True):
            if is_picture(place):
                check_picture(place, builder.volume_of(node), self._diagnostics)
        for place in places[len(self._outputs) :]:
            if place.kind == "save":
                check_image_file(place, self._diagnostics)
        if written:
            check_names(places, self._diagnostics)
        self._diagnostics.raise_if_errors()
        origins = self._origins(table, plan, places)
        return CompiledProgram(plan, origins, self._diagnostics.warnings(), self.expectations)

    def _origins(
        self, table: NodeTable, plan: WorkPlan, places: Sequence[GoalPlace]
    ) -> dict[OperationId, SourceLocation]:
        origins = {}
        locations = _Locations()
        for node in _all_nodes(plan.nodes):
            call_site = table.origins.get(node.id)
            if call_site is not None and node.id not in origins:
                origins[node.id] = locations.of(call_site)
        for goal, place in zip(plan.goals, places, strict=True):
            if goal.operation == "save":
                name = save_location_id(goal.id, file_suffix(goal.name))
                line, column = place.source.position(place.start)
                origins.setdefault(name, SourceLocation(place.source.name, line, column))
        return origins

    def _check_geometry(self, table: NodeTable, plan: WorkPlan) -> None:
        """Report geometry for which neither the plan nor the loops around it load an image."""
        if not table.unbound:
            return
        waiting = [(plan.nodes, False)]
        while waiting:
            nodes, loads = waiting.pop()
            unbound: Operation | None = None
            for node in nodes.values():
                if isinstance(node, Operation):
                    signature = self._index.find(node.operator, plan.imports)
                    if signature is None:
                        continue
                    loads = loads or signature.role is Role.LOAD
                    if takes_geometry(signature, len(node.arguments)):
                        unbound = unbound or node
            waiting += [(node.nodes, loads) for node in nodes.values() if isinstance(node, Closure)]
            if unbound is not None and not loads:
                call_site = table.origins[unbound.id]
                self._diagnostics.error(
                    call_site.source,
                    call_site,
                    f"`{unbound.operator}` takes its geometry from the images that the program"
                    " loads, but none is loaded here",
                    "load an image, or combine it with one; images that a loop loads exist only"
                    " inside the loop",
                )


def _place(written: WrittenGoal) -> GoalPlace:
    """Return the place of a goal inside of an expression."""
    call_site = written.call_site
    return GoalPlace(written.kind, written.label, call_site.source, call_site.start, call_site.end)


def _all_nodes(nodes: Mapping[OperationId, Node]) -> Iterator[Node]:
    """Yield the nodes of a plan, those inside loops included."""
    waiting = [nodes]
    while waiting:
        for node in waiting.pop().values():
            yield node
            if isinstance(node, Closure):
                waiting.append(node.nodes)


class _Locations:
    """Makes source locations; call sites in deep loops have most of their callers in common.

    The call sites must exist as long as this does.
    """

    def __init__(self) -> None:
        self._calls: dict[int, CallSite | None] = {}

    def of(self, call_site: CallSite) -> SourceLocation:
        """Return the location of a call site with the innermost calls that led there."""
        line, column = call_site.source.position(call_site.start)
        calls: list[Call] = []
        inner = self._innermost_call(call_site)
        while inner is not None and inner.caller is not None and len(calls) <= MAX_CALLS:
            calls.append(Call(inner.function, inner.caller.at))
            inner = self._innermost_call(inner.caller)
        return SourceLocation(call_site.source.name, line, column, tuple(calls))

    def _innermost_call(self, call_site: CallSite) -> CallSite | None:
        """Return the first of a call site and its callers that is in a function with a name."""
        passed: list[CallSite] = []
        found: CallSite | None = call_site
        while found is not None and not (found.function and found.caller is not None):
            if found.caller is None:
                found = None
            elif id(found) in self._calls:
                found = self._calls[id(found)]
            else:
                passed.append(found)
                found = found.caller
        for each in passed:
            self._calls[id(each)] = found
        return found
