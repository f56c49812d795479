"""Arithmetic and comparisons by the kinds of their operands, as VoxLogicA's operators name them.

`num_…` take two numbers, `…_vs` an image and a number, `…_sv` a number and an image. Each is the
arithmetic of `default` with its operands' kinds checked: see there for types and errors.
"""

from __future__ import annotations

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.default import arithmetic, logic
from voxk8s.kernels.images import number, scalar_image
from voxk8s.kernels.spec import KernelFunction
from voxk8s.values import Value


def _named(function: KernelFunction, name: str, doc: str) -> KernelFunction:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _of_numbers(name: str, operation: KernelFunction, doc: str) -> KernelFunction:
    def call(a: Value, b: Value) -> Value:
        return operation(number(name, a), number(name, b))

    return _named(call, name, doc)


def _image_first(name: str, operation: KernelFunction, doc: str) -> KernelFunction:
    def call(i: Value, k: Value) -> Value:
        return operation(_image(name, i), number(name, k))

    return _named(call, name, doc)


def _number_first(name: str, operation: KernelFunction, doc: str) -> KernelFunction:
    def call(k: Value, i: Value) -> Value:
        return operation(number(name, k), _image(name, i))

    return _named(call, name, doc)


def _image(name: str, value: Value) -> Value:
    if isinstance(value, bool | int | float):
        raise KernelError(f"{name}: needs an image, not {describe(value)}")
    return scalar_image(name, value)


num_add = _of_numbers("num_add", arithmetic.addition, "Give a + b of two numbers (`.+.`).")
num_sub = _of_numbers("num_sub", arithmetic.subtraction, "Give a - b of two numbers (`.-.`).")
num_mul = _of_numbers("num_mul", arithmetic.multiplication, "Give a * b of two numbers (`.*.`).")
num_div = _of_numbers(
    "num_div", arithmetic.division, "Give a / b of two numbers (`./.`); KernelError when b is 0."
)
num_eq = _of_numbers("num_eq", logic.equal, "Tell whether a = b (`.=.`).")
num_neq = _of_numbers("num_neq", logic.not_equal, "Tell whether a is not b.")
num_lt = _of_numbers("num_lt", logic.less, "Tell whether a < b (`.<.`).")
num_leq = _of_numbers("num_leq", logic.less_equal, "Tell whether a <= b (`.<=.`).")
num_gt = _of_numbers("num_gt", logic.greater, "Tell whether a > b (`.>.`).")
num_geq = _of_numbers("num_geq", logic.greater_equal, "Tell whether a >= b (`.>=.`).")

add_vs = _image_first(
    "add_vs", arithmetic.addition, "Give i + k of an image and a number (`i +. k`, `k .+ i`)."
)
mul_vs = _image_first(
    "mul_vs", arithmetic.multiplication, "Give i * k of an image and a number (`i *. k`, `k .* i`)."
)
sub_vs = _image_first(
    "sub_vs", arithmetic.subtraction, "Give i - k of an image and a number (`i -. k`)."
)
sub_sv = _number_first(
    "sub_sv", arithmetic.subtraction, "Give k - i of a number and an image (`k .- i`)."
)
div_vs = _image_first(
    "div_vs",
    arithmetic.division,
    "Give i / k of an image and a number (`i /. k`); by 0 as IEEE 754 has it.",
)
div_sv = _number_first(
    "div_sv",
    arithmetic.division,
    "Give k / i of a number and an image (`k ./ i`); by 0 as IEEE 754 has it.",
)


def bool_and_scalar(a: Value, b: Value) -> Value:
    """Tell whether both truth values are true (`.&.`)."""
    return logic.both(a, b)


def bool_or_scalar(a: Value, b: Value) -> Value:
    """Tell whether one of two truth values is true (`.|.`)."""
    return logic.either(a, b)


def bool_not_scalar(a: Value) -> Value:
    """Tell whether a truth value is false (`!.`)."""
    return logic.negation(a)
