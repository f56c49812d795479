"""Arithmetic and comparisons by the types of their operands, under the names of VoxLogicA.

`num_…` take two numbers, `…_vs` an image and a number, `…_sv` a number and an image. Each checks
the types of its operands and calls the kernel of `default`, which defines dtypes and errors.
"""

from __future__ import annotations

from voxk8s.kernels.arguments import require_number, require_scalar_image
from voxk8s.kernels.default import arithmetic, logic
from voxk8s.kernels.kernel_spec import KernelFunction
from voxk8s.values import Value


def _named(function: KernelFunction, name: str, doc: str) -> KernelFunction:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _of_numbers(name: str, operation: KernelFunction, doc: str) -> KernelFunction:
    def call(a: Value, b: Value) -> Value:
        return operation(require_number(name, a), require_number(name, b))

    return _named(call, name, doc)


def _image_first(name: str, operation: KernelFunction, doc: str) -> KernelFunction:
    def call(i: Value, k: Value) -> Value:
        return operation(require_scalar_image(name, i), require_number(name, k))

    return _named(call, name, doc)


def _number_first(name: str, operation: KernelFunction, doc: str) -> KernelFunction:
    def call(k: Value, i: Value) -> Value:
        return operation(require_number(name, k), require_scalar_image(name, i))

    return _named(call, name, doc)


num_add = _of_numbers("num_add", arithmetic.addition, "Return a + b (`.+.`).")
num_sub = _of_numbers("num_sub", arithmetic.subtraction, "Return a - b (`.-.`).")
num_mul = _of_numbers("num_mul", arithmetic.multiplication, "Return a * b (`.*.`).")
num_div = _of_numbers(
    "num_div", arithmetic.division, "Return a / b (`./.`); KernelError if b is 0."
)
num_eq = _of_numbers("num_eq", logic.equal, "Return whether a = b (`.=.`).")
num_neq = _of_numbers("num_neq", logic.not_equal, "Return whether a is not b.")
num_lt = _of_numbers("num_lt", logic.less, "Return whether a < b (`.<.`).")
num_leq = _of_numbers("num_leq", logic.less_equal, "Return whether a <= b (`.<=.`).")
num_gt = _of_numbers("num_gt", logic.greater, "Return whether a > b (`.>.`).")
num_geq = _of_numbers("num_geq", logic.greater_equal, "Return whether a >= b (`.>=.`).")

add_vs = _image_first("add_vs", arithmetic.addition, "Return i + k (`i +. k`, `k .+ i`).")
mul_vs = _image_first(
    "mul_vs",
    arithmetic.multiplication,
    "Return i * k (`i *. k`, `k .* i`).",
)
sub_vs = _image_first("sub_vs", arithmetic.subtraction, "Return i - k (`i -. k`).")
sub_sv = _number_first("sub_sv", arithmetic.subtraction, "Return k - i (`k .- i`).")
div_vs = _image_first(
    "div_vs",
    arithmetic.division,
    "Return i / k (`i /. k`); division by 0 as in IEEE 754.",
)
div_sv = _number_first(
    "div_sv",
    arithmetic.division,
    "Return k / i (`k ./ i`); division by 0 as in IEEE 754.",
)


def bool_and_scalar(a: Value, b: Value) -> Value:
    """Return whether two truth values are both true (`.&.`)."""
    return logic.both(a, b)


def bool_or_scalar(a: Value, b: Value) -> Value:
    """Return whether at least one of two truth values is true (`.|.`)."""
    return logic.either(a, b)


def bool_not_scalar(a: Value) -> Value:
    """Return whether a truth value is false (`!.`)."""
    return logic.negation(a)
