"""The kernels of the namespace `simpleitk`: SimpleITK's functions under their own names.

Arguments are positional. Numbers in the form of floats are cast where a whole number is wanted, a
number stands for a vector of equal ones, and enumerations are given by name (`"sitkFloat32"`,
`"Jet"`). A point is a sequence of indices, x first; a map (of labels) a sequence of pairs. Label
maps are images of labels here, 0 where there is none. ITK runs on one thread, and takes images for
one geometry that are one to all other kernels. Complex voxels are not handled, so functions that
take or give them are left out, as is all that reads, writes or shows something.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

from voxk8s.kernels.simpleitk.forms import Form
from voxk8s.kernels.spec import CostHint, KernelSpec, spec

_WORDS: Final = {
    "integer": "number",
    "extents": "any",
    "layout": "any",
    "labels": "image",
    "pairs": "sequence",
    "point": "sequence",
    "points": "sequence",
}
_VECTORS: Final = ("integers", "numbers", "images", "labellings", "enum")


def _specs() -> tuple[KernelSpec, ...]:
    return tuple(_spec(name, forms) for name, forms in functions().items())


def functions() -> dict[str, tuple[Form, ...]]:
    """Give the forms in which each function can be called, by its name."""
    text = resources.files(__package__).joinpath("functions.json").read_text(encoding="utf-8")
    return {
        name: tuple(Form.of(form) for form in entry["forms"])
        for name, entry in json.loads(text).items()
    }


def _spec(name: str, forms: tuple[Form, ...]) -> KernelSpec:
    least = min(form.minimum for form in forms)
    most = max(form.maximum for form in forms)
    words: list[str] = []
    for position in range(most):
        kinds = {
            form.parameters[position].kind for form in forms if position < len(form.parameters)
        }
        # A vector may be given as a number, an enumeration by name or number.
        word = next(iter(kinds)) if len(kinds) == 1 and not kinds & set(_VECTORS) else "any"
        words.append(_WORDS.get(word, word) + ("" if position < least else "?"))
    return spec(
        f"simpleitk.{name}",
        f"{' '.join(words)} -> {forms[0].result}",
        f"voxk8s.kernels.simpleitk.calls:{name}",
        f"SimpleITK's {name}",
        cost=CostHint(seconds=2e-4, per_megavoxel=5e-2),
    )


KERNELS: Final[tuple[KernelSpec, ...]] = _specs()
