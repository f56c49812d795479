"""The kernels that every plan may use without an import."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.spec import CostHint, KernelSpec, spec
from voxk8s.plan.signature import Role

_HOME = "voxk8s.kernels.default"
_SCALAR = CostHint(seconds=3e-6, per_megavoxel=1e-3)

KERNELS: Final[tuple[KernelSpec, ...]] = (
    # arithmetic: numbers, sequences and images
    spec(
        "default.addition",
        "any any -> any",
        f"{_HOME}.arithmetic:addition",
        "a + b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.subtraction",
        "any any -> any",
        f"{_HOME}.arithmetic:subtraction",
        "a - b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.multiplication",
        "any any -> any",
        f"{_HOME}.arithmetic:multiplication",
        "a * b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.division",
        "any any -> any",
        f"{_HOME}.arithmetic:division",
        "a / b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.floor",
        "any -> any",
        f"{_HOME}.arithmetic:floor",
        "The largest whole number that is not greater",
        cheap=True,
        cost=_SCALAR,
    ),
    # comparisons and logic of numbers, strings and truth values
    spec(
        "default.equal",
        "any any -> bool",
        f"{_HOME}.logic:equal",
        "a == b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.not_equal",
        "any any -> bool",
        f"{_HOME}.logic:not_equal",
        "a != b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.less", "any any -> bool", f"{_HOME}.logic:less", "a < b", cheap=True, cost=_SCALAR
    ),
    spec(
        "default.less_equal",
        "any any -> bool",
        f"{_HOME}.logic:less_equal",
        "a <= b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.greater",
        "any any -> bool",
        f"{_HOME}.logic:greater",
        "a > b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.greater_equal",
        "any any -> bool",
        f"{_HOME}.logic:greater_equal",
        "a >= b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.both",
        "bool bool -> bool",
        f"{_HOME}.logic:both",
        "a and b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.either",
        "bool bool -> bool",
        f"{_HOME}.logic:either",
        "a or b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.negation",
        "bool -> bool",
        f"{_HOME}.logic:negation",
        "not a",
        cheap=True,
        cost=_SCALAR,
    ),
    # sequences
    spec(
        "default.range",
        "number number? -> sequence",
        f"{_HOME}.sequences:range_",
        "The whole numbers from a (or 0) to below b",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.sequence",
        "any* -> sequence",
        f"{_HOME}.sequences:sequence",
        "The sequence of its arguments",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.index",
        "sequence number -> any",
        f"{_HOME}.sequences:index",
        "Item i, counted from 0",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.subsequence",
        "sequence number number -> sequence",
        f"{_HOME}.sequences:subsequence",
        "n items from start on",
        cheap=True,
        cost=_SCALAR,
    ),
    # statistics of sequences of numbers
    spec(
        "default.mean",
        "sequence -> number",
        f"{_HOME}.statistics:mean",
        "Arithmetic mean",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.median",
        "sequence -> number",
        f"{_HOME}.statistics:median",
        "Median",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.stdev",
        "sequence -> number",
        f"{_HOME}.statistics:stdev",
        "Standard deviation of a sample",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.argmax",
        "sequence -> number",
        f"{_HOME}.statistics:argmax",
        "Index of the first largest item",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.argsort",
        "sequence -> sequence",
        f"{_HOME}.statistics:argsort",
        "Indices that sort ascending, ties in order",
        cheap=True,
        cost=_SCALAR,
    ),
    spec(
        "default.tally",
        "sequence -> sequence",
        f"{_HOME}.statistics:tally",
        "Distinct items with their counts, ascending",
        cheap=True,
        cost=_SCALAR,
    ),
    # what the engine does itself
    spec(
        "default.load",
        "string -> any",
        "",
        "The image or document behind a URL",
        role=Role.LOAD,
        cost=CostHint(seconds=0.01, per_megavoxel=0.03),
    ),
    spec(
        "default.dir",
        "string string? bool? bool? -> sequence",
        "",
        "The sorted names of the files of a folder",
        role=Role.LISTING,
        cost=CostHint(seconds=0.01),
    ),
    spec(
        "default.map",
        "closure sequence -> sequence",
        "",
        "A closure applied to each item",
        role=Role.MAP,
    ),
    spec(
        "default.fold",
        "closure sequence -> any",
        "",
        "A closure applied to each item and what came out for the item before",
        role=Role.FOLD,
    ),
    spec(
        "voxk8s.save",
        "any -> any",
        "",
        "A value encoded as a file",
        role=Role.SAVE,
        cost=CostHint(seconds=1e-3, per_megavoxel=0.1),
    ),
)
