"""How long programs take to compile, by shape; processor time, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from voxk8s.imgql import compile_program
from voxk8s.kernels import registry, symbols

COUNT: Final = 100_000


def _definitions() -> str:
    lines = "\n".join(f"let a{i} = a{i - 1} + 1" for i in range(1, COUNT))
    return f'let a0 = 1\n{lines}\nprint "x" a{COUNT - 1}'


def _functions() -> str:
    lines = "\n".join(f"let f{i}(x) = f{i - 1}(x) + 1" for i in range(1, COUNT))
    return f'let f0(x) = x\n{lines}\nprint "x" f{COUNT - 1}(1)'


def _calls() -> str:
    lines = "\n".join(
        f"let f{i}(x) = " + " + ".join(f"f{i - 1 - k % 2}(x + {k})" for k in range(6))
        for i in range(2, 21)
    )
    return f'let f0(x) = 1\nlet f1(x) = 2\n{lines}\nprint "x" f20(1)'


PROGRAMS: Final[dict[str, Callable[[], str]]] = {
    "100,000 definitions": _definitions,
    "100,000 functions": _functions,
    "100,000 goals": lambda: "\n".join(f'print "x" 1 + {i}' for i in range(COUNT)),
    "fold over 100,000 items": lambda: f'print "x" fold + 0 range({COUNT})',
    "3,000 infix terms": lambda: 'print "x" ' + " + ".join(["1"] * 3_000),
    "300 parentheses": lambda: 'print "x" ' + "(" * 300 + "1" + ")" * 300,
    "200 calls": lambda: 'print "x" ' + "floor(" * 200 + "1" + ")" * 200,
    "20 functions, 6 calls each": _calls,
}


def main() -> None:
    """Print the table, or the seconds of the one program that is named."""
    if len(sys.argv) > 1:
        text = PROGRAMS[sys.argv[1]]()
        start = time.process_time()
        plan = compile_program(text, index=registry(), symbols=symbols).plan
        print(f"{time.process_time() - start:9.2f} s {len(plan.nodes):10} nodes")
        return
    for name in PROGRAMS:
        command = [sys.executable, "-m", "tests.tools.bench.imgql", name]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"{name:<28}{answer.stdout.rstrip()}")


if __name__ == "__main__":
    main()
