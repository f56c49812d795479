"""The types of values, as the signatures of kernels name them.

A sequence may say what is in it: `sequence<number>`. `any` is what is not known before the run;
only what is surely wrong is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.plan.signature import Role, Signature

ANY: Final = "any"
IMAGES: Final = frozenset({"image", "mask"})
_NUMBERS: Final = frozenset({"number", "bool"})
_DEEPEST: Final = 3

ARITHMETIC: Final = frozenset(
    f"default.{word}" for word in ("addition", "subtraction", "multiplication", "division", "floor")
)
_SEQUENCES: Final = {
    "default.range": "sequence<number>",
    "default.argsort": "sequence<number>",
    "default.dir": "sequence<string>",
}
_DOCUMENTS: Final = (".json", ".yaml", ".yml", ".txt", ".csv")


def sequence_of(item: str) -> str:
    """Give the type of a sequence of such items."""
    if item == ANY or item.count("<") >= _DEEPEST:
        return "sequence"
    return f"sequence<{item}>"


def item_of(kind: str) -> str:
    """Give the type of a sequence's items."""
    return kind[len("sequence<") : -1] if kind.startswith("sequence<") else ANY


def is_sequence(kind: str) -> bool:
    """Tell whether it is a sequence of any kind."""
    return kind.startswith("sequence")


def join(kinds: Sequence[str]) -> str:
    """Give the narrowest type that all have in common; `any` for no type at all."""
    different = set(kinds)
    if len(different) == 1:
        return different.pop()
    if different and different <= IMAGES:
        return "image"
    if different and all(is_sequence(kind) for kind in different):
        return "sequence"
    return ANY


def clashes(wanted: str, given: str) -> bool:
    """Tell whether a value of type `given` can never be what `wanted` asks for."""
    if ANY in (wanted, given):
        return False
    return _family(wanted) != _family(given)


def _family(kind: str) -> str:
    if kind in IMAGES:
        return "image"
    if kind in _NUMBERS:
        return "number"
    return "sequence" if is_sequence(kind) else kind


def wanted(signature: Signature, place: int) -> str:
    """Give the type that a kernel asks for at an argument's place; the last one repeats."""
    parameters = signature.parameters
    return parameters[min(place, len(parameters) - 1)] if parameters else ANY


def result(signature: Signature, kinds: Sequence[str]) -> str:
    """Give the type of a kernel's result for arguments of these types."""
    name = signature.qualified
    if name in ARITHMETIC:
        return _arithmetic(kinds)
    if name in _SEQUENCES:
        return _SEQUENCES[name]
    if name == "default.sequence":
        return sequence_of(join(kinds)) if kinds else "sequence"
    if name == "default.index" and kinds:
        return item_of(kinds[0])
    if name == "default.subsequence" and kinds and is_sequence(kinds[0]):
        return kinds[0]
    return signature.result


def loaded(url: object) -> str:
    """Give the type of what is loaded from a URL that the program spells out."""
    if not isinstance(url, str) or url.lower().endswith(_DOCUMENTS):
        return ANY
    return "image"


def is_load(signature: Signature) -> bool:
    """Tell whether the kernel reads a file."""
    return signature.role is Role.LOAD


def _arithmetic(kinds: Sequence[str]) -> str:
    families = [_family(kind) for kind in kinds]
    if ANY in families:
        return ANY
    if "sequence" in families:
        return "sequence"
    if "image" in families:
        return "image"
    return "number" if set(families) == {"number"} else ANY
