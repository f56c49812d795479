"""Operators whose kernel depends on the types of their operands.

Programs of VoxLogicA 1 compare an image with a number by plain signs, as in
`intensity(scan) > 120`, later ones by dotted signs. Both mean a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from voxk8s.imgql import types
from voxk8s.imgql.lower.global_scope import GlobalScope
from voxk8s.imgql.lower.ir import Apply

_THRESHOLDS: Final = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "="}
"""Comparisons, and the core of the dotted operators between an image and a number."""
_WITH_IMAGES: Final = (["image", "number"], [types.ANY, "image"])
_COMPARISONS: Final = "default."
_NAMESPACE: Final = "vox1"

V = TypeVar("V")


class OverloadResolver:
    """Chooses the kernel of an operator by the types of its arguments."""

    def __init__(self, global_scope: GlobalScope) -> None:
        self._globals = global_scope

    def resolve(
        self, instruction: Apply, arguments: Sequence[V], argument_types: Sequence[str]
    ) -> tuple[Apply, Sequence[V]]:
        """Return the application for arguments of these types, and the arguments in its order.

        A comparison of an image with what may be a number is a threshold; others do not change.
        """
        sign = _THRESHOLDS.get(instruction.name)
        if sign is None or not instruction.signature.qualified.startswith(_COMPARISONS):
            return instruction, arguments
        families = [types.family(value_type) for value_type in argument_types]
        if not instruction.operand_types or sorted(families) not in _WITH_IMAGES:
            return instruction, arguments
        dotted = f"{sign}." if families[0] == "image" else f".{sign}"
        found = self._globals.operator(dotted, _NAMESPACE)
        if found is None or found.signature is None:
            return instruction, arguments
        chosen = msgspec.structs.replace(
            instruction,
            operator=found.operator,
            signature=found.signature,
            operand_types=found.operand_types[::-1] if found.swapped else found.operand_types,
            swapped=found.swapped,
        )
        return chosen, arguments[::-1] if found.swapped else arguments
