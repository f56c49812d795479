"""What the program of a command may read and write: `--allow`, and questions on a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from voxk8s import constants
from voxk8s.describe import one_line
from voxk8s.errors import InvalidPlan
from voxk8s.inputs.confinement import Confinement, is_remote, local_path
from voxk8s.plan import OperationId, Role
from voxk8s.plan.model import Closure, Constant, Operation, Parameter

if TYPE_CHECKING:
    from voxk8s.inputs.input_options import InputOptions
    from voxk8s.plan import WorkPlan
    from voxk8s.plan.model import Node

EVERYTHING: Final = "all"
"""What VOXK8S_ALLOW says to allow all."""

Ask = Callable[[str], bool]


class Permissions:
    """What a program may use, with the answers of the user."""

    def __init__(
        self, arguments: argparse.Namespace, env: Mapping[str, str], ask: Ask | None = None
    ) -> None:
        """Read the options of a command; `ask` puts a question, None where nobody can answer."""
        words = env.get(constants.ENV_ALLOW, "").split()
        self._all = bool(getattr(arguments, "allow_all", False)) or words == [EVERYTHING]
        file = os.path.realpath(arguments.file)
        output = getattr(arguments, "output", None)
        self._folders = [os.path.dirname(file), os.getcwd()]
        self._named = [*words, *(getattr(arguments, "allow", None) or ()), *filter(None, [output])]
        # Values that the user has typed: a file given by --param is meant to be read.
        self._named += [value for _, value in arguments.param if "/" in value and value.strip("/.")]
        self._ask = ask

    @property
    def confinement(self) -> Confinement:
        """What may be read and written by now."""
        return Confinement.of(self._folders, self._named)

    def check_import(self, path: str) -> None:
        """Raise PermissionError with the way out for a file that may not be imported."""
        if self._all or self.confinement.allows_path(path):
            return
        if self._ask is not None and os.path.isfile(path) and self._granted("read", path):
            return
        raise PermissionError(None, _refusal(path))

    def check_plan(self, plan: WorkPlan, options: InputOptions) -> InputOptions:
        """Return options with which only what is allowed can be read.

        Raises InvalidPlan for files that may not be written. Inputs that may not be read fail the
        goals that need them.
        """
        if self._all:
            return options
        urls: list[str] = []
        roots: list[str] = []
        for role, url in literal_inputs(plan):
            if is_remote(url):
                below = role is Role.LISTING or url.lower().startswith("s3:")
                (roots if below else urls).append(url)
            elif os.path.exists(path := local_path(url)) and not self.confinement.allows_path(path):
                self._granted("read", path)
        confinement = Confinement.of(self._folders, self._named, urls, roots)
        return replace(options, confinement=confinement)

    def check_files(self, plan: WorkPlan, folder: str) -> None:
        """Raise InvalidPlan for files below `folder` that may not be written.

        Inputs that the plan spells out are never replaced.
        """
        inputs = {
            os.path.realpath(local_path(url))
            for role, url in literal_inputs(plan)
            if role is Role.LOAD and not is_remote(url)
        }
        for number, goal in enumerate(plan.goals):
            path = os.path.join(folder, goal.name)
            if goal.operation == "save" and os.path.realpath(path) in inputs:
                raise InvalidPlan(
                    f"the file {one_line(goal.name)!r} is an input of the same plan, and would be"
                    " replaced: save it under another name, or use --output",
                    f"$.goals[{number}].name",
                )
        if self._all:
            return
        for number, goal in enumerate(plan.goals):
            if goal.operation != "save":
                continue
            path = os.path.join(folder, goal.name)
            # Not the link that a file may be: it is replaced. The folder that it is in counts.
            target = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            if not self.confinement.allows_path(target) and not self._granted("write", target):
                raise InvalidPlan(
                    f"the file {one_line(goal.name)!r}: {_refusal(target)}",
                    f"$.goals[{number}].name",
                )

    def _granted(self, verb: str, path: str) -> bool:
        if self._ask is None or not self._ask(f"{verb} {one_line(path)}"):
            return False
        self._named.append(path)
        return True


def literal_inputs(plan: WorkPlan) -> Iterator[tuple[Role, str]]:
    """Yield the inputs whose paths or URLs the program spells out, also in bodies of loops."""
    # Imported here: commands that only compile need no kernels of their own.
    from voxk8s.kernels import registry

    index = registry()
    roles: dict[str, Role] = {}
    waiting: list[tuple[Mapping[OperationId, Node], Mapping[str, Node]]] = [(plan.nodes, {})]
    while waiting:
        nodes, captured = waiting.pop()
        for node in nodes.values():
            if isinstance(node, Closure):
                outside = {
                    name: _outer(nodes[captures], captured)
                    for name, captures in node.captures.items()
                }
                waiting.append((node.nodes, outside))
            elif isinstance(node, Operation) and node.arguments:
                if node.operator not in roles:
                    found = index.find(node.operator, plan.imports)
                    roles[node.operator] = found.role if found else Role.COMPUTE
                role = roles[node.operator]
                if role in (Role.LOAD, Role.LISTING):
                    first = _outer(nodes[node.arguments[0]], captured)
                    if isinstance(first, Constant) and isinstance(first.value, str):
                        yield role, first.value


def _outer(node: Node, captured: Mapping[str, Node]) -> Node:
    return captured.get(node.name, node) if isinstance(node, Parameter) else node


def permissions(arguments: argparse.Namespace) -> Permissions:
    """Return the permissions of a command, with questions if somebody is there to answer."""
    somebody = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return Permissions(arguments, os.environ, _question(arguments.file) if somebody else None)


def _question(program: str) -> Ask:
    def ask(what: str) -> bool:
        sys.stderr.write(f"voxk8s: {one_line(program)} wants to {what}. Allow it? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return ask


def _refusal(path: str) -> str:
    return (
        "outside of the folder of the program and the current folder, or hidden; if you trust the"
        f" program: --allow {shown(path)}"
    )


def shown(path: str) -> str:
    """Return a path as a word of a shell."""
    import shlex

    return shlex.quote(one_line(path))
