"""Writes the table of SimpleITK's functions that plans may call: `python -m` this module.

The table lies in the package, so that a plan is checked where SimpleITK is not installed. It is
found by introspection: a function is taken when it stands for an ITK filter or source, when its
parameters can be written in a plan, when its voxels are not complex, and when it neither reads nor
writes anything.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Final

import SimpleITK as sitk

from voxk8s.kernels.simpleitk.bounds import BOUNDS, VECTORS

TABLE: Final = Path(__file__).with_name("functions.json")
DENIED: Final = frozenset({"ReadImage", "WriteImage", "Show", "ReadTransform", "WriteTransform"})
"""What touches files or screens, should it ever look like a filter."""
_COMPLEX: Final = re.compile(r"Complex|(Forward|Inverse)FFT$")
"""What takes or gives complex voxels, which are no values."""

_KINDS: Final = {
    "Image": "image",
    "double": "number",
    "float": "number",
    "bool": "bool",
    "std::string": "string",
    "str": "string",
    "int": "integer",
    "unsigned int": "integer",
    "VectorOfImage": "images",
    "VectorUIntList": "points",
    "DoubleDoubleMap": "pairs",
}
_ENUMERATIONS: Final = {
    "PixelIDValueEnum": re.compile(r"sitk(Vector)?(U?Int|Float)\d+"),
    "KernelEnum": re.compile(r"sitk(Annulus|Ball|Box|Cross|Polygon\d)"),
    "InterpolatorEnum": re.compile(
        r"sitk(NearestNeighbor|Linear|BSpline\d?|BSplineResampler(Order\d)?|(Label)?Gaussian"
        r"|LabelLinear|\w+WindowedSinc)"
    ),
}
"""The names of the enumerations that no class owns; pixels of values only."""
_WHOLE: Final = re.compile(r"u?int(8|16|32|64)_t|size_t")
_VECTOR: Final = re.compile(r"Vector(UInt8|UInt32|UInt64|Int32|Int64|Int8|Int16|UInt16|Bool)")
_RESULTS: Final = {
    "Image": "image",
    "double": "number",
    "std::string": "string",
    "VectorDouble": "sequence",
    "VectorUInt32": "sequence",
}
_OVERLOAD: Final = re.compile(r"(\w+)\s*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\s*->\s*([\w:]+)")

Parameter = dict[str, object]

_BY_HAND: Final[dict[str, list[str]]] = {
    # The usual form has a transform in the middle, which a plan cannot write.
    "Resample": [
        "Image image1",
        "Image referenceImage",
        "InterpolatorEnum interpolator=default",
        "double defaultPixelValue=default",
    ],
}
"""Forms that introspection cannot find; called by the names of their parameters."""


def table() -> dict[str, dict[str, object]]:
    """Give the functions of the SimpleITK that is installed, by name."""
    found: dict[str, dict[str, object]] = {}
    for name in sorted(vars(sitk)):
        if name in DENIED or _COMPLEX.search(name) or not _stands_for_a_filter(name):
            continue
        forms = _forms(name)
        if forms:
            found[name] = {"forms": forms}
    return found


def _stands_for_a_filter(name: str) -> bool:
    if not name[0].isupper() or not callable(vars(sitk)[name]) or inspect.isclass(vars(sitk)[name]):
        return False
    stem = name.removesuffix("Source")
    return any(
        hasattr(sitk, owner)
        for owner in (f"{name}ImageFilter", f"{name}Filter", f"{stem}ImageSource", f"{stem}Source")
        if owner != name
    )


def _forms(name: str) -> list[dict[str, object]]:
    function = vars(sitk)[name]
    forms: list[dict[str, object]] = []
    if name in _BY_HAND:
        return [{**(_form(name, _BY_HAND[name], "Image") or {}), "named": True}]
    for owner, parameters, result in _OVERLOAD.findall(function.__doc__ or ""):
        form = _form(name, _split(parameters), result) if owner == name else None
        if form is not None and form not in forms:
            forms.append(form)
    return forms or _annotated(name)


def _annotated(name: str) -> list[dict[str, object]]:
    signature = inspect.signature(vars(sitk)[name])
    parameters: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            break
        hint = str(parameter.annotation).removeprefix("typing.")
        hint = {
            "<class 'bool'>": "bool",
            "<class 'int'>": "int",
            "<class 'float'>": "double",
            "<class 'SimpleITK.SimpleITK.Image'>": "Image",
            "List[float]": "VectorDouble",
            "List[int]": "VectorInt32",
        }.get(hint, hint)
        given = "" if parameter.default is parameter.empty else "=default"
        parameters.append(f"{hint} {parameter.name}{given}")
    result = "Image" if "Image" in str(signature.return_annotation) else ""
    form = _form(name, parameters, result)
    return [] if form is None else [form]


def _form(name: str, parameters: list[str], result: str) -> dict[str, object] | None:
    if result not in _RESULTS:
        return None
    described: list[Parameter] = []
    for text in parameters:
        head, given, default = text.partition("=")
        words = head.replace("&", " ").replace("const ", " ").split()
        declared = " ".join(words[:-1]).replace("itk::simple::", "")
        kind = _kind(declared)
        if kind is None:
            if given:
                break  # this one and all after it keep their defaults
            return None
        if "LabelMap" in name and "ToLabelMap" not in name and words[-1] != "featureImage":
            kind = {"image": "labels", "images": "labellings"}.get(kind, kind)
        if kind == "integers":
            kind = VECTORS.get(words[-1], kind)
        # The default seed of a noise is the clock's: results must not depend on it. The default
        # extents may be beyond the image.
        optional = bool(given) and (words[-1], kind) != ("seed", "integer") and kind != "extents"
        parameter: Parameter = {"name": words[-1], "kind": kind, "optional": optional}
        if kind == "enum":
            parameter["choices"] = _choices(declared, default)
        for key in (words[-1], f"{name}.{words[-1]}"):
            parameter |= BOUNDS.get(key, {})
        described.append(parameter)
    for position in range(len(described) - 2, -1, -1):
        if not described[position + 1]["optional"]:
            described[position]["optional"] = False
    return {"parameters": described, "result": _RESULTS[result]}


def _kind(declared: str) -> str | None:
    if declared in _KINDS:
        return _KINDS[declared]
    if _WHOLE.fullmatch(declared):
        return "integer"
    if declared in ("VectorDouble", "VectorFloat"):
        return "numbers"
    if _VECTOR.fullmatch(declared):
        return "integers"
    return "enum" if declared.endswith(("Type", "Enum", "Function")) else None


def _choices(declared: str, default: str) -> dict[str, int]:
    """Give the names of an enumeration and their numbers.

    A class has those of all its enumerations in a row, each from 0: it is the group that has the
    default, or the first.
    """
    owner, _, local = declared.rpartition("::")
    if not owner:
        names = _ENUMERATIONS[local]
        return {
            name: value
            for name, value in vars(sitk).items()
            if names.fullmatch(name) or name == default
        }
    groups: list[dict[str, int]] = []
    for name, value in vars(getattr(sitk, owner)).items():
        if type(value) is int and not name.startswith("_"):
            if value == 0:
                groups.append({})
            groups[-1][name] = value
    return next((group for group in groups if default in group), groups[0])


def _split(parameters: str) -> list[str]:
    """Split at the commas that are in no bracket."""
    parts: list[str] = []
    depth, current = 0, ""
    for character in parameters:
        depth += (character in "(<{") - (character in ")>}")
        if character == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    return [*parts, current.strip()] if current.strip() else parts


def render() -> str:
    """Give the table as the text of its file: one function a line."""
    rows = [
        f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}"
        for name, entry in table().items()
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(render(), encoding="utf-8")
