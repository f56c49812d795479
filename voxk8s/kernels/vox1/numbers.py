"""Arithmetic and comparisons by the kinds of their operands, as VoxLogicA's operators name them.

`num_…` take two numbers, `…_vs` an image and a number, `…_sv` a number and an image. Each is the
arithmetic of `default` with its operands' kinds checked: see there for types and errors.
"""

from __future__ import annotations

from voxk8s.errors import KernelError
from voxk8s.kernels.default import arithmetic, logic
from voxk8s.kernels.images import number, scalar_image
from voxk8s.kernels.text import describe
from voxk8s.values import Value


def num_add(a: Value, b: Value) -> Value:
    """Give a + b of two numbers (`.+.`)."""
    return arithmetic.addition(number("num_add", a), number("num_add", b))


def num_sub(a: Value, b: Value) -> Value:
    """Give a - b of two numbers (`.-.`)."""
    return arithmetic.subtraction(number("num_sub", a), number("num_sub", b))


def num_mul(a: Value, b: Value) -> Value:
    """Give a * b of two numbers (`.*.`)."""
    return arithmetic.multiplication(number("num_mul", a), number("num_mul", b))


def num_div(a: Value, b: Value) -> Value:
    """Give a / b of two numbers (`./.`); KernelError when b is 0."""
    return arithmetic.division(number("num_div", a), number("num_div", b))


def num_eq(a: Value, b: Value) -> Value:
    """Tell whether a = b (`.=.`)."""
    return logic.equal(number("num_eq", a), number("num_eq", b))


def num_neq(a: Value, b: Value) -> Value:
    """Tell whether a is not b."""
    return logic.not_equal(number("num_neq", a), number("num_neq", b))


def num_lt(a: Value, b: Value) -> Value:
    """Tell whether a < b (`.<.`)."""
    return logic.less(number("num_lt", a), number("num_lt", b))


def num_leq(a: Value, b: Value) -> Value:
    """Tell whether a <= b (`.<=.`)."""
    return logic.less_equal(number("num_leq", a), number("num_leq", b))


def num_gt(a: Value, b: Value) -> Value:
    """Tell whether a > b (`.>.`)."""
    return logic.greater(number("num_gt", a), number("num_gt", b))


def num_geq(a: Value, b: Value) -> Value:
    """Tell whether a >= b (`.>=.`)."""
    return logic.greater_equal(number("num_geq", a), number("num_geq", b))


def bool_and_scalar(a: Value, b: Value) -> Value:
    """Tell whether both truth values are true (`.&.`)."""
    return logic.both(a, b)


def bool_or_scalar(a: Value, b: Value) -> Value:
    """Tell whether one of two truth values is true (`.|.`)."""
    return logic.either(a, b)


def bool_not_scalar(a: Value) -> Value:
    """Tell whether a truth value is false (`!.`)."""
    return logic.negation(a)


def add_vs(i: Value, k: Value) -> Value:
    """Give i + k of an image and a number (`i +. k`, `k .+ i`)."""
    return arithmetic.addition(*_image_first("add_vs", i, k))


def mul_vs(i: Value, k: Value) -> Value:
    """Give i * k of an image and a number (`i *. k`, `k .* i`)."""
    return arithmetic.multiplication(*_image_first("mul_vs", i, k))


def sub_vs(i: Value, k: Value) -> Value:
    """Give i - k of an image and a number (`i -. k`)."""
    return arithmetic.subtraction(*_image_first("sub_vs", i, k))


def sub_sv(k: Value, i: Value) -> Value:
    """Give k - i of a number and an image (`k .- i`)."""
    image, factor = _image_first("sub_sv", i, k)
    return arithmetic.subtraction(factor, image)


def div_vs(i: Value, k: Value) -> Value:
    """Give i / k of an image and a number (`i /. k`); by 0 as IEEE 754 has it."""
    return arithmetic.division(*_image_first("div_vs", i, k))


def div_sv(k: Value, i: Value) -> Value:
    """Give k / i of a number and an image (`k ./ i`); by 0 as IEEE 754 has it."""
    image, factor = _image_first("div_sv", i, k)
    return arithmetic.division(factor, image)


def _image_first(kernel: str, i: Value, k: Value) -> tuple[Value, Value]:
    if isinstance(i, bool | int | float):
        raise KernelError(f"{kernel}: needs an image, not {describe(i)}")
    return scalar_image(kernel, i), number(kernel, k)
