"""Finds operations that can never work: a number where an image is asked for, and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voxk8s.constants import IMAGE_SUFFIXES
from voxk8s.imgql import types
from voxk8s.imgql.lower.ir import Apply, Constant, Function, Output
from voxk8s.imgql.lower.namespaces import Names
from voxk8s.imgql.reduce.interpreter import Loop, Machine, Site
from voxk8s.imgql.reduce.overloads import Overloads
from voxk8s.imgql.syntax.diagnostics import Report
from voxk8s.imgql.trampoline import Steps
from voxk8s.plan.keys.result_keys import file_suffix

_ANY_VALUE = ("", ".txt", ".json")
"""Suffixes of files that say of an image what it is."""


def check_types(
    functions: Sequence[Function], outputs: Sequence[Output], names: Names, report: Report
) -> None:
    """Report clashes in functions and in all that they call, with the types they call with."""
    machine = Machine(_Types(names, report))
    for function in functions:
        machine.value(function, [types.ANY] * function.parameters)
    for output in outputs:
        kind = machine.value(output.function)
        if output.kind == "save":
            _check_file(output, file_suffix(output.label), kind, report)


def _check_file(output: Output, suffix: str, kind: str, report: Report) -> None:
    """Report a value that no file of this suffix holds, as far as its type is known."""
    if types.text(suffix) != "string" and types.clashes("image", kind):
        message = f"a {suffix} file holds an image, not {_a(kind)}"
        hint = "other values are saved as .json or .txt"
    elif suffix not in (*IMAGE_SUFFIXES, *_ANY_VALUE) and types.family(kind) == "image":
        message = f"an image cannot be saved as {suffix}"
        hint = f"images are saved as {', '.join(IMAGE_SUFFIXES)}"
    else:
        return
    report.error(output.source, output.start, output.end, message, hint)


class _Types:
    """Values are type words."""

    def __init__(self, names: Names, report: Report) -> None:
        self._names = names
        self._overloads = Overloads(names)
        self._report = report

    def constant(self, instruction: Constant) -> str:
        """Give the type of a constant."""
        value = instruction.value
        if isinstance(value, bool):
            return "bool"
        return types.text(value) if isinstance(value, str) else "number"

    def unknown(self) -> str:
        """Nothing is known of what an error left out."""
        return types.ANY

    def apply(self, instruction: Apply, arguments: Sequence[str], site: Site) -> str:
        """Check the arguments of a kernel and give the type of its result."""
        instruction, arguments = self._overloads.choose(instruction, arguments, arguments)
        signature = instruction.signature
        for place, given in enumerate(arguments):
            wanted = types.wanted(signature, place, arguments)
            if instruction.words and wanted == types.ANY:
                wanted = instruction.words[place]
            if types.clashes(wanted, given):
                self._refuse(instruction, place, wanted, arguments, site)
                # Of an operator another one may have been meant, with another result.
                return types.ANY if instruction.words else signature.result
        return types.result(signature, arguments)

    def item(self, sequence: str, captured: Sequence[str], site: Site) -> str:
        """Give the type of the items."""
        del captured
        self._check_sequence("for", sequence, site)
        return types.item_of(sequence)

    def loop(self, loop: Loop[str], body: str, site: Site) -> str:
        """Give the type of the results of a loop."""
        del loop, site
        return types.sequence_of(body)

    def fold(
        self,
        initial: str,
        sequence: str,
        captured: Sequence[str],
        call: Callable[[str, str], Steps[str]],
        site: Site,
    ) -> Steps[str]:
        """Give what the first value and the results of the function have in common."""
        del captured
        self._check_sequence("fold", sequence, site)
        item = types.item_of(sequence)
        once = yield call(initial, item)
        again = yield call(types.join([initial, once]), item)
        return types.join([initial, once, again])

    def _check_sequence(self, word: str, kind: str, site: Site) -> None:
        if types.clashes("sequence", kind):
            self._report.error(
                site.source,
                site.start,
                site.end,
                f"`{word}` needs a sequence, not {_a(kind)}",
                "sequences are [a, b, c], range(a, b), dir(…) or the result of a for",
            )

    def _refuse(
        self, instruction: Apply, place: int, wanted: str, arguments: Sequence[str], site: Site
    ) -> None:
        given = arguments[place]
        name = instruction.name
        count = len(instruction.arguments)
        if instruction.words:
            sides = ["operand"] if count == 1 else ["left operand", "right operand"]
            swapped = count > 1 and instruction.swapped
            what = f"the {sides[count - 1 - place if swapped else place]} of `{name}`"
        elif count == 1:
            what = f"the argument of `{name}`"
        else:
            what = f"argument {place + 1} of `{name}`"
        kinds = tuple(reversed(arguments)) if instruction.swapped else arguments
        fitting = self._names.fitting(name, kinds) if instruction.words else ()
        hint = f"called from {site.caller.at}" if site.caller is not None else ""
        user = f"`{site.library}` uses it" if site.library else ""
        self._report.error(
            site.source,
            site.start,
            site.end,
            f"{what} must be {_a(wanted)}, not {_a(given)}",
            f"did you mean {' or '.join(f'`{each}`' for each in fitting)}?"
            " A dot stands on the side of a number"
            if fitting
            else "",
            "" if instruction.words or count < 2 else types.described(name, instruction.signature),
            user,
            hint,
        )


def _a(kind: str) -> str:
    words = [each.partition("<")[0] for each in kind.split("|")]
    named = [{"bool": "truth value"}.get(word, word) for word in words]
    each = [f"{'an' if word[0] in 'aeiou' else 'a'} {word}" for word in named]
    return " or ".join(filter(None, (", ".join(each[:-1]), each[-1])))
