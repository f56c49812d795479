"""Loading 100,000 operations: CPU seconds and memory of decode, keys and resolution, on one core.

Run with `python -m tests.tools.bench.plan`; every plan is measured in a process of its own. The
last row is what a user of Dask would do instead: the same independent operations as
`dask.delayed(..., pure=True)`, named by what they compute (`keys`), in the order in which Dask
would run them (`resolve`).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Collection

from tests.support.kernel_index import FakeIndex
from voxk8s.plan import ResultKey, constant, decode, encode, key_graph, operation, resolve

COUNT = 100_000
_DASK = "dask.delayed"
GOAL = "1.5 s and 400 MB for decode, keys and resolve together"


def chain() -> bytes:
    """Write a chain of operations with one goal."""
    one = constant(1.0)
    nodes: list[dict[str, object]] = [{"id": one.id, "type": "constant", "value": one.value}]
    last = one.id
    for _ in range(COUNT):
        node = operation("addition", [last, one.id])
        last = node.id
        nodes.append(_form(node.id, node.operator, node.arguments))
    goals = [{"operation": "print", "id": last, "name": "last"}]
    return json.dumps({"nodes": nodes, "goals": goals}).encode()


def independent() -> bytes:
    """Write operations that do not need each other, one goal each, over half as many constants."""
    one = constant(1.0)
    nodes: list[dict[str, object]] = [{"id": one.id, "type": "constant", "value": one.value}]
    goals: list[dict[str, object]] = []
    for number in range(COUNT // 2):
        each = constant(number + 2.5)
        nodes.append({"id": each.id, "type": "constant", "value": each.value})
        for operator in ("addition", "subtraction"):
            node = operation(operator, [each.id, one.id])
            nodes.append(_form(node.id, node.operator, node.arguments))
            goals.append({"operation": "print", "id": node.id, "name": f"{operator}{number}"})
    return json.dumps({"nodes": nodes, "goals": goals}).encode()


def labelled() -> bytes:
    """Write the chain backwards and with words for ids."""
    nodes: list[dict[str, object]] = [
        _form(f"n{at}", "addition", (f"n{at - 1}", "n0")) for at in range(COUNT, 0, -1)
    ]
    nodes.append({"id": "n0", "type": "constant", "value": 1.0})
    goals = [{"operation": "print", "id": f"n{COUNT}", "name": "last"}]
    return json.dumps({"nodes": nodes, "goals": goals}).encode()


def loop() -> bytes:
    """Write a loop that comes to as many operations, two an item."""
    body = [
        {"id": "x", "type": "parameter", "name": "x"},
        _form("a", "addition", ("x", "x")),
        _form("b", "subtraction", ("a", "x")),
    ]
    nodes = [
        {"id": "n", "type": "constant", "value": COUNT / 2},
        _form("xs", "range", ("n",)),
        {"id": "f", "type": "closure", "variable": "x", "nodes": body, "result": "b"},
        _form("m", "map", ("f", "xs")),
    ]
    goals = [{"operation": "print", "id": "m", "name": "last"}]
    return json.dumps({"nodes": nodes, "goals": goals}).encode()


PLANS: dict[str, Callable[[], bytes]] = {
    "chain": chain,
    "independent": independent,
    "labelled": labelled,
    "loop": loop,
}


def _form(name: str, operator: str, arguments: Collection[str]) -> dict[str, object]:
    named = {str(place): each for place, each in enumerate(arguments)}
    return {"id": name, "type": "operation", "operator": operator, "arguments": named}


def measure(source: bytes) -> dict[str, float]:
    """Measure one document; peak memory is read before the writers run."""
    index = FakeIndex()

    def nothing(keys: Collection[ResultKey]) -> set[ResultKey]:
        return set()

    marks = [time.process_time()]
    plan = decode(source, index=index)
    marks.append(time.process_time())
    graph = key_graph(plan, index)
    marks.append(time.process_time())
    resolution = resolve(graph, nothing)
    marks.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    resolve(graph, set)
    marks.append(time.process_time())
    encode(plan)
    marks.append(time.process_time())
    names = ("decode", "keys", "resolve", "known", "encode")
    spans = {name: then - first for name, first, then in zip(names, marks, marks[1:], strict=False)}
    total = spans["decode"] + spans["keys"] + spans["resolve"]
    return {"operations": resolution.total, **spans, "total": total, "MiB": peak}


def measure_dask() -> dict[str, float]:
    """Measure the independent operations as delayed calls."""
    import operator

    import dask
    from dask.base import collections_to_expr
    from dask.order import order

    marks = [time.process_time()]
    add, subtract = (dask.delayed(call, pure=True) for call in (operator.add, operator.sub))
    calls = [call(number + 2.5, 1.0) for number in range(COUNT // 2) for call in (add, subtract)]
    marks.append(time.process_time())
    ordered = order(collections_to_expr(calls).__dask_graph__())  # type: ignore[no-untyped-call]
    marks.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    keys, resolved = marks[1] - marks[0], marks[2] - marks[1]
    spans = {"decode": 0.0, "keys": keys, "resolve": resolved, "total": keys + resolved}
    return {"operations": len(ordered), **spans, "MiB": peak}


def main() -> None:
    """Print the table."""
    if len(sys.argv) > 1:
        is_dask = sys.argv[1] == _DASK
        print(json.dumps(measure_dask() if is_dask else measure(sys.stdin.buffer.read())))
        return
    print(f"{COUNT} operations; goal: {GOAL}")
    print(f"{'plan':<13}{'operations':>11}{'decode':>9}{'keys':>8}{'resolve':>9}", end="")
    print(f"{'total':>8}{'peak MiB':>10}{'known':>8}{'encode':>8}")
    documents = {name: write() for name, write in PLANS.items()}
    for name, document in {**documents, _DASK: b""}.items():
        command = [sys.executable, "-m", "tests.tools.bench.plan", name]
        answer = subprocess.run(command, input=document, capture_output=True, check=True)
        row = json.loads(answer.stdout)
        print(f"{name:<13}{row['operations']:>11}{row['decode']:>9.2f}{row['keys']:>8.2f}", end="")
        print(f"{row['resolve']:>9.2f}{row['total']:>8.2f}{row['MiB']:>10.0f}", end="")
        print("" if name == _DASK else f"{row['known']:>8.2f}{row['encode']:>8.2f}")


if __name__ == "__main__":
    main()
