"""The kernels that every plan may use without an import."""

from __future__ import annotations

from functools import partial
from typing import Final

from voxk8s.kernels.kernel_spec import CostHint, KernelSpec, make_spec, make_specs
from voxk8s.plan.signature import Role

_rows = partial(make_specs, "default", seconds=3e-6, cheap=True)

KERNELS: Final[tuple[KernelSpec, ...]] = (
    *_rows(
        "arithmetic",
        ("addition", "any any -> any", 1e-3, "a + b"),
        ("subtraction", "any any -> any", 1e-3, "a - b"),
        ("multiplication", "any any -> any", 1e-3, "a * b"),
        ("division", "any any -> any", 1e-3, "a / b"),
        ("floor", "any -> any", 1e-3, "The largest whole number that is not greater"),
        elementwise=True,
    ),
    *_rows(
        "logic",
        ("equal", "any any -> bool", 1e-3, "a == b"),
        ("not_equal", "any any -> bool", 1e-3, "a != b"),
        ("less", "any any -> bool", 1e-3, "a < b"),
        ("less_equal", "any any -> bool", 1e-3, "a <= b"),
        ("greater", "any any -> bool", 1e-3, "a > b"),
        ("greater_equal", "any any -> bool", 1e-3, "a >= b"),
        ("both", "bool bool -> bool", 1e-3, "a and b"),
        ("either", "bool bool -> bool", 1e-3, "a or b"),
        ("negation", "bool -> bool", 1e-3, "not a"),
    ),
    *_rows(
        "indexing",
        (
            "range",
            "number number? -> sequence",
            1e-3,
            "The whole numbers from a (or 0) to below b",
            "range_",
        ),
        ("sequence", "any* -> sequence", 1e-3, "The sequence of its arguments"),
        ("index", "sequence number -> any", 1e-3, "Item i, counted from 0"),
        ("subsequence", "sequence number number? -> sequence", 1e-3, "n items from start on"),
    ),
    *_rows(
        "sequence_statistics",
        ("mean", "sequence -> number", 1e-3, "Arithmetic mean"),
        ("median", "sequence -> number", 1e-3, "Median"),
        ("argmax", "sequence -> number", 1e-3, "Index of the first largest item"),
        ("argsort", "sequence -> sequence", 1e-3, "Indices that sort ascending, ties in order"),
        ("tally", "sequence -> sequence", 1e-3, "Distinct items with their counts, ascending"),
    ),
    *_rows(
        "sequence_statistics",
        ("stdev", "sequence -> number", 1e-3, "Standard deviation of a sample"),
        version=2,
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
        uses=("SimpleITK", "pillow"),
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
        "voxk8s.not_finite",
        "any -> string",
        "voxk8s.kernels.default.finiteness:say_not_finite",
        "`NaN` or `an infinity` if a value has one in it, else nothing",
        cheap=True,
        cost=CostHint(seconds=1e-5, per_megavoxel=1e-3),
    ),
    make_spec(
        "voxk8s.save",
        "any -> any",
        "",
        "A value encoded as a file",
        role=Role.SAVE,
        cost=CostHint(seconds=1e-3, per_megavoxel=0.1),
        uses=("SimpleITK",),
    ),
)
