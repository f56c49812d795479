"""Tasks for tests of executors: each calls a function that the test has given its name."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256

from tests.support.plans_and_runs import QUICK
from voxk8s.execution.executors.protocol import Message, TaskDone, TaskLost
from voxk8s.execution.tasks.task import Step, StepKind, StepRule, TaskKey, TaskSpec, UpstreamRef
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.kernels import kernel
from voxk8s.plan import ResultKey
from voxk8s.plan.kernel_version import numbered
from voxk8s.values import Value

_functions: dict[str, Callable[..., Value]] = {}


@kernel("scripted.call", version=1)
def _call(name: str, values: list[Value]) -> Value:
    return _functions[name](*values)


@kernel("scripted.list", version=1)
def _list(*values: Value) -> list[Value]:
    return list(values)


def script(name: str, function: Callable[..., Value]) -> str:
    """Give the tasks of this name a function of the values of their dependencies."""
    _functions[name] = function
    return name


def key(name: str) -> TaskKey:
    """Return the key of the task of a name."""
    return TaskKey(sha256(name.encode()).hexdigest())


def _rule(kernel_name: str) -> StepRule:
    return StepRule(StepKind.COMPUTE, kernel_name, numbered(1), cheap=True)


def task(name: str, *needs: str) -> TaskSpec:
    """Return the task of a name, which needs the values of other tasks."""
    upstream = tuple(UpstreamRef(key(each), ResultKey(key(each)), True) for each in needs)
    arguments = tuple(range(1, len(needs) + 1))
    gather = Step(key(name + "/list"), _rule("scripted.list"), arguments)
    last = len(needs) + 1
    call = Step(key(name), _rule("scripted.call"), (0, last))
    return TaskSpec(key(name), (name,), upstream, (gather, call), (last + 1,))


def run_spec(name: str) -> RunSpec:
    """Return the options of a run without a store."""
    return RunSpec(name, "", None, False, False, False, "goals", QUICK, 0.0)


class Inbox:
    """The messages of a session, and which tasks have ended."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = threading.Condition()

    def __call__(self, message: Message) -> None:
        """Take a message."""
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    @property
    def done(self) -> list[TaskKey]:
        """The tasks that are done, in the order of their messages."""
        return [each.key for each in self.messages if isinstance(each, TaskDone)]

    @property
    def lost(self) -> list[TaskLost]:
        """The messages about lost tasks."""
        return [each for each in self.messages if isinstance(each, TaskLost)]

    def wait(self, *names: str) -> None:
        """Wait until the tasks of these names have ended."""
        keys = {key(name) for name in names}
        with self._changed:
            ended = self._changed.wait_for(
                lambda: keys <= {*self.done, *(each.key for each in self.lost)}, 30
            )
        assert ended, f"did not end: {keys - {*self.done}}"
