"""The types of values, as the signatures of kernels name them.

A sequence may have an item type, `sequence<number>`, and a string the type of the file that it
names, `string<image>`. A union is written `number|string`. `any` is what is not known before the
run. Only types that can never fit are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from voxk8s.constants import IMAGE_SUFFIXES, READ_ONLY_IMAGE_SUFFIXES
from voxk8s.plan.sequence_kernels import CHOOSE, INDEX, RECOVER
from voxk8s.plan.signature import Role, Signature

ANY: Final = "any"
IMAGES: Final = frozenset({"image", "mask"})
_NUMBERS: Final = frozenset({"number", "bool"})
_MAX_NESTING: Final = 3
_CHOICE_ARGUMENTS: Final = 3
_MOST_CACHED: Final = 1024
"""Types that are compared: a large program has many values and few types."""

ARITHMETIC: Final = frozenset(
    f"default.{name}" for name in ("addition", "subtraction", "multiplication", "division", "floor")
)
_SEQUENCES: Final = {
    "default.range": "sequence<number>",
    "default.argsort": "sequence<number>",
    "default.dir": "sequence<string>",
}
_EQUALITY: Final = ("default.equal", "default.not_equal")
_ORDER: Final = tuple(
    f"default.{name}" for name in ("less", "less_equal", "greater", "greater_equal")
)
_LOGIC: Final = ("vox1.and", "vox1.or", "vox1.not", "vox1.diff")
"""Operators of masks that also take truth values."""
_LOGICAL: Final = "mask|bool"
_EXTREMES: Final = ("vox1.min", "vox1.max")
"""Measurements of images that also take sequences of numbers."""
_SELECTIONS: Final = ("default.subsequence", "sequences.keep", "sequences.gather")
"""Kernels whose result has the items of their first argument."""
_COMPUTABLE: Final = "number|image|sequence"
_COMPARABLE: Final = "number|string|sequence"
_ORDERED: Final = "number|string"
_DOCUMENTS: Final = (".json", ".yaml", ".yml", ".txt", ".csv")
_PICTURES: Final = (*IMAGE_SUFFIXES, *READ_ONLY_IMAGE_SUFFIXES)
_IMAGE_FILE: Final = "string<image>"


def sequence_of(item: str) -> str:
    """Return the type of a sequence with items of a type."""
    if item == ANY or item.count("<") >= _MAX_NESTING:
        return "sequence"
    return f"sequence<{item}>"


def item_of(value_type: str) -> str:
    """Return the type of a sequence's items."""
    return value_type[len("sequence<") : -1] if value_type.startswith("sequence<") else ANY


def is_sequence(value_type: str) -> bool:
    """Whether it is the type of a sequence."""
    return value_type.startswith("sequence")


def join(argument_types: Sequence[str]) -> str:
    """Return the narrowest type that includes all; `any` if there are none."""
    different = set(argument_types)
    if len(different) == 1:
        return different.pop()
    if different and different <= IMAGES:
        return "image"
    families = {family(value_type) for value_type in different}
    return families.pop() if families in ({"sequence"}, {"string"}) else ANY


@lru_cache(_MOST_CACHED)
def clashes(expected_type: str, given: str) -> bool:
    """Whether a value of type `given` can never be one of type `wanted`."""
    if ANY in (expected_type, given):
        return False
    return family(given) not in map(family, expected_type.split("|"))


@lru_cache(_MOST_CACHED)
def family(value_type: str) -> str:
    """Return the widest type whose values may be used where one of this type may."""
    if value_type in IMAGES:
        return "image"
    if value_type in _NUMBERS:
        return "number"
    return value_type.partition("<")[0]


def expected_type(signature: Signature, position: int, argument_types: Sequence[str]) -> str:
    """Return the type that a kernel expects of an argument, among arguments of `argument_types`."""
    name, parameters = signature.qualified, signature.parameters
    if name in ARITHMETIC:
        return _COMPUTABLE
    if name in _LOGIC:
        return _LOGICAL if {ANY, "bool"}.issuperset(argument_types) else "mask"
    if name == INDEX:
        return "number|string" if position else "sequence|mapping"
    if name in _EXTREMES and argument_types and is_sequence(argument_types[0]):
        return "sequence"
    if name in _ORDER and argument_types:
        first = family(argument_types[0])
        return first if position and first in _ORDERED.split("|") else _ORDERED
    if name in _EQUALITY:
        # A sequence may be compared with anything: it is not equal to what is not a sequence.
        return (
            ANY if any(map(is_sequence, argument_types)) or ANY in argument_types else _COMPARABLE
        )
    return parameters[min(position, len(parameters) - 1)] if parameters else ANY


def is_image(value_type: str, signature: Signature, position: int) -> bool:
    """Whether an argument must be an image: by its type, or because the kernel expects one."""
    return value_type in IMAGES or (
        value_type == ANY and expected_type(signature, position, ()) in {*IMAGES, _LOGICAL}
    )


def result_type(signature: Signature, argument_types: Sequence[str]) -> str:
    """Return the type of a kernel's result for arguments of these types."""
    name = signature.qualified
    if name in ARITHMETIC:
        return _arithmetic(argument_types)
    if ANY in argument_types and (name in _ORDER or name in _EQUALITY):
        # An image compared with a number is a mask.
        return ANY
    if name in _LOGIC and set(argument_types) == {"bool"}:
        return "bool"
    if name in _SEQUENCES:
        return _SEQUENCES[name]
    if is_load(signature):
        return "image" if _IMAGE_FILE in argument_types else ANY
    if name == "default.sequence":
        return sequence_of(join(argument_types)) if argument_types else "sequence"
    if name == "default.index" and argument_types:
        return item_of(argument_types[0])
    if name in _SELECTIONS and argument_types and is_sequence(argument_types[0]):
        return argument_types[0]
    if name == RECOVER and len(argument_types) > 1:
        return join(argument_types)
    if name == CHOOSE and len(argument_types) == _CHOICE_ARGUMENTS:
        return join(argument_types[1:])
    return signature.result


def describe_call(name: str, signature: Signature) -> str:
    """Return a signature such as `signature: near(mask)`, empty if its types are not known."""
    parameters = list(signature.parameters)
    if not parameters or set(parameters) == {ANY}:
        return ""
    if signature.maximum is None:
        parameters.append("…")
    return f"signature: {name}({', '.join(parameters)})"


def string_type(value: str) -> str:
    """Return the type of a string literal; its suffix may tell which kind of file it names."""
    return _IMAGE_FILE if value.lower().removesuffix(".gz").endswith(_PICTURES) else "string"


def load_type(url: object) -> str:
    """Return the type of what is loaded from a URL, None if it is not known: mostly an image."""
    return ANY if not isinstance(url, str) or is_document(url) else "image"


def is_document(url: str) -> bool:
    """Whether a file's suffix is one of documents, not of images."""
    return url.lower().endswith(_DOCUMENTS)


def is_load(signature: Signature) -> bool:
    """Whether the kernel reads a file."""
    return signature.role is Role.LOAD


def _arithmetic(argument_types: Sequence[str]) -> str:
    families = [family(value_type) for value_type in argument_types]
    if ANY in families:
        return ANY
    if "sequence" in families:
        return "sequence"
    if "image" in families:
        return "image"
    return "number" if set(families) == {"number"} else ANY
