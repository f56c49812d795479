"""The kernels that every plan may use without an import."""

from __future__ import annotations

from typing import Final

from voxk8s.kernels.kernel_spec import CostHint, KernelSpec, make_spec
from voxk8s.plan.signature import Role

_HOME = "voxk8s.kernels.default"
_SCALAR = CostHint(seconds=3e-6, per_megavoxel=1e-3)


def _row(
    name: str, types: str, function: str, doc: str, *, elementwise: bool = False, version: int = 1
) -> KernelSpec:
    return make_spec(
        f"default.{name}",
        types,
        f"{_HOME}.{function}",
        doc,
        version=version,
        cheap=True,
        cost=_SCALAR,
        elementwise=elementwise,
    )


KERNELS: Final[tuple[KernelSpec, ...]] = (
    # arithmetic: numbers, sequences and images
    _row("addition", "any any -> any", "arithmetic:addition", "a + b", elementwise=True),
    _row("subtraction", "any any -> any", "arithmetic:subtraction", "a - b", elementwise=True),
    _row(
        "multiplication", "any any -> any", "arithmetic:multiplication", "a * b", elementwise=True
    ),
    _row("division", "any any -> any", "arithmetic:division", "a / b", elementwise=True),
    _row(
        "floor",
        "any -> any",
        "arithmetic:floor",
        "The largest whole number that is not greater",
        elementwise=True,
    ),
    # comparisons and logic of numbers, strings and truth values
    _row("equal", "any any -> bool", "logic:equal", "a == b"),
    _row("not_equal", "any any -> bool", "logic:not_equal", "a != b"),
    _row("less", "any any -> bool", "logic:less", "a < b"),
    _row("less_equal", "any any -> bool", "logic:less_equal", "a <= b"),
    _row("greater", "any any -> bool", "logic:greater", "a > b"),
    _row("greater_equal", "any any -> bool", "logic:greater_equal", "a >= b"),
    _row("both", "bool bool -> bool", "logic:both", "a and b"),
    _row("either", "bool bool -> bool", "logic:either", "a or b"),
    _row("negation", "bool -> bool", "logic:negation", "not a"),
    # sequences
    _row(
        "range",
        "number number? -> sequence",
        "indexing:range_",
        "The whole numbers from a (or 0) to below b",
    ),
    _row("sequence", "any* -> sequence", "indexing:sequence", "The sequence of its arguments"),
    _row("index", "sequence number -> any", "indexing:index", "Item i, counted from 0"),
    _row(
        "subsequence",
        "sequence number number -> sequence",
        "indexing:subsequence",
        "n items from start on",
    ),
    # statistics of sequences of numbers
    _row("mean", "sequence -> number", "sequence_statistics:mean", "Arithmetic mean"),
    _row("median", "sequence -> number", "sequence_statistics:median", "Median"),
    _row(
        "stdev",
        "sequence -> number",
        "sequence_statistics:stdev",
        "Standard deviation of a sample",
        version=2,
    ),
    _row(
        "argmax",
        "sequence -> number",
        "sequence_statistics:argmax",
        "Index of the first largest item",
    ),
    _row(
        "argsort",
        "sequence -> sequence",
        "sequence_statistics:argsort",
        "Indices that sort ascending, ties in order",
    ),
    _row(
        "tally",
        "sequence -> sequence",
        "sequence_statistics:tally",
        "Distinct items with their counts, ascending",
    ),
    # executed by the engine
    make_spec(
        "default.load",
        "string -> any",
        "",
        "The image or document behind a URL",
        role=Role.LOAD,
        version=2,
        cost=CostHint(seconds=0.01, per_megavoxel=0.03),
    ),
    make_spec(
        "default.dir",
        "string string? bool? bool? -> sequence",
        "",
        "The sorted names of the files of a folder",
        role=Role.LISTING,
        cost=CostHint(seconds=0.01),
    ),
    make_spec(
        "default.map",
        "closure sequence -> sequence",
        "",
        "A closure applied to each item",
        role=Role.MAP,
    ),
    make_spec(
        "default.fold",
        "closure sequence -> any",
        "",
        "A closure applied to each item and what came out for the item before",
        role=Role.FOLD,
    ),
    make_spec(
        "voxk8s.save",
        "any -> any",
        "",
        "A value encoded as a file",
        role=Role.SAVE,
        cost=CostHint(seconds=1e-3, per_megavoxel=0.1),
    ),
)
