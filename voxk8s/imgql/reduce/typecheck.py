"""Reports operations that can never succeed, such as a number where an image is expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voxk8s.constants import IMAGE_SUFFIXES
from voxk8s.imgql import types
from voxk8s.imgql.goal_checks import check_value
from voxk8s.imgql.lower.global_scope import GlobalScope
from voxk8s.imgql.lower.ir import Apply, Constant, Function, GoalFunction, GoalPlace
from voxk8s.imgql.lower.operands import PRINT, WRITE_IMAGE
from voxk8s.imgql.reduce.interpreter import CallSite, Interpreter, Loop
from voxk8s.imgql.reduce.overloads import OverloadResolver
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.trampoline import Trampolined
from voxk8s.plan.keys.result_keys import file_suffix

_ANY_VALUE = ("", ".txt", ".json")
"""Suffixes of files that hold any value; of an image, a summary."""


def check_types(
    functions: Sequence[Function],
    outputs: Sequence[GoalFunction],
    global_scope: GlobalScope,
    diagnostics: Diagnostics,
) -> None:
    """Report type errors in functions and all that they call, for the types that they call with."""
    interpreter = Interpreter(_TypeDomain(global_scope, diagnostics))
    for function in functions:
        interpreter.value(function, [types.ANY] * function.parameters)
    for output in outputs:
        value_type = interpreter.value(output.function)
        check_value(output, value_type, diagnostics)
        if output.kind == "save":
            _check_file(output, file_suffix(output.label), value_type, diagnostics)


def _check_file(
    output: GoalFunction, suffix: str, value_type: str, diagnostics: Diagnostics
) -> None:
    """Report a value that files of this suffix cannot hold, as far as its type is known."""
    if types.string_type(suffix) != "string" and types.clashes("image", value_type):
        message = f"a {suffix} file holds an image, not {_a(value_type)}"
        hint = "save other values as .json or .txt"
    elif suffix not in (*IMAGE_SUFFIXES, *_ANY_VALUE) and types.family(value_type) == "image":
        message = f"an image cannot be saved as {suffix}"
        hint = f"image formats are {', '.join(IMAGE_SUFFIXES)}"
    else:
        return
    diagnostics.error(output.source, output, message, hint)


class _TypeDomain:
    """Evaluates functions over types."""

    def __init__(self, global_scope: GlobalScope, diagnostics: Diagnostics) -> None:
        self._globals = global_scope
        self._overloads = OverloadResolver(global_scope)
        self._diagnostics = diagnostics

    def constant(self, instruction: Constant) -> str:
        """Return the type of a constant."""
        value = instruction.value
        if isinstance(value, bool):
            return "bool"
        return types.string_type(value) if isinstance(value, str) else "number"

    def unknown(self) -> str:
        """Return `any`."""
        return types.ANY

    def apply(self, instruction: Apply, arguments: Sequence[str], call_site: CallSite) -> str:
        """Check the arguments of a kernel and return the type of its result."""
        instruction, arguments = self._overloads.resolve(instruction, arguments, arguments)
        signature = instruction.signature
        for index, given in enumerate(arguments):
            wanted = types.expected_type(signature, index, arguments)
            if instruction.operand_types and wanted == types.ANY:
                wanted = instruction.operand_types[index]
            if types.clashes(wanted, given):
                self._report_error(instruction, index, wanted, arguments, call_site)
                # Another operator may have been meant, with another result type.
                return types.ANY if instruction.operand_types else signature.result
        return types.result_type(signature, arguments)

    def item(self, sequence: str, captured: Sequence[str], call_site: CallSite) -> str:
        """Return the type of the items."""
        del captured
        self._check_sequence("for", sequence, call_site)
        return types.item_of(sequence)

    def output(self, kind: str, result: str, name: str, call_site: CallSite) -> str:
        """Check what is written or printed, and its name; the value is the name."""
        if kind == "print":
            if types.clashes("string", name):
                self._diagnostics.error(
                    call_site.source,
                    call_site,
                    f"the first argument of `{PRINT}` must be a string, not {_a(name)}",
                    f'signature: {PRINT}("label", value)',
                )
            place = GoalPlace(kind, "", call_site.source, call_site.start, call_site.end)
            check_value(place, result, self._diagnostics)
            return "string"
        for wanted, given, what in (("image", result, "first"), ("string", name, "second")):
            if types.clashes(wanted, given):
                self._diagnostics.error(
                    call_site.source,
                    call_site,
                    f"the {what} argument of `{WRITE_IMAGE}` must be {_a(wanted)}, not {_a(given)}",
                    f'signature: {WRITE_IMAGE}(image, "file.nii.gz")',
                )
        return "string"

    def each(
        self, sequence: str, call: Callable[[str], Trampolined[str]], call_site: CallSite
    ) -> Trampolined[str]:
        """Return the type of the results of a loop that writes files."""
        self._check_sequence("for", sequence, call_site)
        body = yield call(types.item_of(sequence))
        return types.sequence_of(body)

    def loop(self, loop: Loop[str], body: str, call_site: CallSite) -> str:
        """Return the type of the results of a loop."""
        del loop, call_site
        return types.sequence_of(body)

    def fold(
        self,
        initial: str,
        sequence: str,
        captured: Sequence[str],
        call: Callable[[str, str], Trampolined[str]],
        call_site: CallSite,
    ) -> Trampolined[str]:
        """Return the type that includes the initial value and the results of the function."""
        del captured
        self._check_sequence("fold", sequence, call_site)
        item = types.item_of(sequence)
        once = yield call(initial, item)
        again = yield call(types.join([initial, once]), item)
        return types.join([initial, once, again])

    def _check_sequence(self, form: str, value_type: str, call_site: CallSite) -> None:
        if types.clashes("sequence", value_type):
            self._diagnostics.error(
                call_site.source,
                call_site,
                f"`{form}` needs a sequence, not {_a(value_type)}",
                "sequences are [a, b, c], range(a, b), dir(…) or the result of a for",
            )

    def _report_error(
        self,
        instruction: Apply,
        index: int,
        wanted: str,
        arguments: Sequence[str],
        call_site: CallSite,
    ) -> None:
        given = arguments[index]
        name = instruction.name
        count = len(instruction.arguments)
        if instruction.operand_types:
            sides = ["operand"] if count == 1 else ["left operand", "right operand"]
            swapped = count > 1 and instruction.swapped
            what = f"the {sides[count - 1 - index if swapped else index]} of `{name}`"
        elif count == 1:
            what = f"the argument of `{name}`"
        else:
            what = f"argument {index + 1} of `{name}`"
        argument_types = tuple(reversed(arguments)) if instruction.swapped else arguments
        fitting = self._globals.fitting(name, argument_types) if instruction.operand_types else ()
        hint = f"called from {call_site.caller.at}" if call_site.caller is not None else ""
        user = f"used by `{call_site.library}`" if call_site.library else ""
        self._diagnostics.error(
            call_site.source,
            call_site,
            f"{what} must be {_a(wanted)}, not {_a(given)}",
            f"did you mean {' or '.join(f'`{each}`' for each in fitting)}?"
            " The dot is on the side of the number"
            if fitting
            else "",
            ""
            if instruction.operand_types or count < 2
            else types.describe_call(name, instruction.signature),
            user,
            hint,
        )


def _a(value_type: str) -> str:
    names = [each.partition("<")[0] for each in value_type.split("|")]
    named = [{"bool": "truth value"}.get(name, name) for name in names]
    each = [f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in named]
    return " or ".join(filter(None, (", ".join(each[:-1]), each[-1])))
