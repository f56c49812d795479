"""What a program may call: kernels, functions of libraries, and operators, with their meaning."""

from __future__ import annotations

import fnmatch
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from voxk8s.cli.parameter_names import described_parameters
from voxk8s.imgql.lower import libraries
from voxk8s.imgql.syntax.syntax_tree import Define
from voxk8s.kernels import registry, symbols
from voxk8s.kernels.kernel_spec import KernelSpec
from voxk8s.plan.signature import Role

_HIDDEN: Final = (Role.MAP, Role.FOLD, Role.SAVE)
_COMMENT: Final = re.compile(r"(?:^//[^\n]*\n)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name that a program may use.

    `name` has no namespace. `signature` shows how it is called; `operators` are the signs that
    call it; `text` is one line, and `definition` all that is known.
    """

    namespace: str
    name: str
    kind: str
    signature: str
    operators: tuple[str, ...]
    text: str
    definition: str

    @property
    def qualified(self) -> str:
        """Name with its namespace."""
        return f"{self.namespace}.{self.name}"


def entries() -> list[Entry]:
    """Return everything that programs may call, by namespace and name."""
    signs = _operators()
    found = [_kernel(registry().spec(name), signs) for name in registry().names()]
    made = [each for each in found if each is not None]
    known = {each.qualified for each in made}
    made += [each for each in _library() if each.qualified not in known]
    return sorted(made, key=lambda each: (each.namespace, each.name))


def matching(pattern: str, among: list[Entry]) -> list[Entry]:
    """Return the entries of a name, an operator or a pattern such as `dist*`.

    What is no name is looked for in names and texts, in any case of letters.
    """
    exact = [
        each
        for each in among
        if pattern in (each.name, each.qualified) or pattern in each.operators
    ]
    if exact:
        return exact
    if set(pattern) & set("*?["):
        return [
            each
            for each in among
            if fnmatch.fnmatchcase(each.name, pattern)
            or fnmatch.fnmatchcase(each.qualified, pattern)
        ]
    word = pattern.lower()
    return [each for each in among if word in f"{each.qualified} {each.text}".lower()]


def definition_of(entry: Entry) -> str:
    """Return the definition of an entry; that of a kernel is the docstring of its function.

    Kernels whose libraries are not installed have their one line only.
    """
    if entry.kind != "kernel" or entry.definition:
        return entry.definition or entry.text
    try:
        function = registry().function(entry.qualified)
    except Exception:  # noqa: BLE001 of libraries that are absent, or cannot be loaded
        return entry.text
    return inspect.getdoc(function) or entry.text


def _kernel(spec: KernelSpec, signs: Mapping[str, tuple[str, ...]]) -> Entry | None:
    signature = spec.signature
    namespace, _, name = signature.qualified.rpartition(".")
    if signature.role in _HIDDEN or namespace == "voxk8s":
        return None
    engine = spec.doc if not spec.implementation else ""
    return Entry(
        namespace,
        name,
        "kernel",
        f"{name}({', '.join(described_parameters(spec))}) -> {signature.result}",
        signs.get(signature.qualified, ()),
        spec.doc,
        engine,
    )


def _operators() -> dict[str, tuple[str, ...]]:
    """Return the signs that call each kernel."""
    found: dict[str, tuple[str, ...]] = {}
    for namespace in ("default", "vox1"):
        for sign, symbol in symbols(namespace).items():
            found[symbol.kernel] = (*found.get(symbol.kernel, ()), sign)
    return found


def _library() -> Iterator[Entry]:
    """Yield the functions and operators of libraries, with the comment above them."""
    for namespace in libraries.NAMESPACES:
        for source, define in libraries.definitions(namespace):
            code = source.code
            comment = ""
            for match in _COMMENT.finditer(code, 0, define.start):
                between = code[match.end() : define.start]
                comment = "" if "\n\n" in between else match.group()
            lines = [line.lstrip("/ ") for line in comment.splitlines()]
            name = define.header.name.text
            parameters = ", ".join(each.text for each in define.header.parameters or ())
            letters = name[0].isalpha()
            yield Entry(
                namespace,
                name,
                "function" if letters else "operator",
                f"{name}({parameters})",
                () if letters else (name,),
                " ".join(lines) or _text(code, define),
                _text(code, define),
            )


def _text(code: str, define: Define) -> str:
    return code[define.start : define.value.end]
