"""Generates the table of SimpleITK's functions that plans may call: `python -m` this module.

The table is a file of the package, so that plans can be checked where SimpleITK is not installed.
It is the result of introspection: a function is included if it wraps an ITK filter or source, its
parameters can be written in a plan, its voxels are not complex, and it reads and writes nothing.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Final

import SimpleITK as sitk

from voxk8s.kernels.simpleitk.parameter_bounds import BOUNDS, VECTORS

TABLE: Final = Path(__file__).with_name("functions.json")
DENIED: Final = frozenset({"ReadImage", "WriteImage", "Show", "ReadTransform", "WriteTransform"})
"""Functions that access files or the display, excluded even if they look like filters."""
_COMPLEX: Final = re.compile(r"Complex|(Forward|Inverse)FFT$")
"""Functions that take or return complex voxels, which are not supported as values."""

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
"""Enumerators of the enumerations outside classes; of pixel types, those of images as values."""
_INTEGER: Final = re.compile(r"u?int(8|16|32|64)_t|size_t")
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
    # The full signature has a transform in the middle, which a plan cannot write.
    "Resample": [
        "Image image1",
        "Image referenceImage",
        "InterpolatorEnum interpolator=default",
        "double defaultPixelValue=default",
    ],
}
"""Overloads that introspection does not find; called with keyword arguments."""


def table() -> dict[str, dict[str, object]]:
    """Return the overloads of the functions of the installed SimpleITK, by name."""
    found: dict[str, dict[str, object]] = {}
    for name in sorted(vars(sitk)):
        if name in DENIED or _COMPLEX.search(name) or not _wraps_filter(name):
            continue
        overloads = _overloads(name)
        if overloads:
            found[name] = {"overloads": overloads}
    return found


def _wraps_filter(name: str) -> bool:
    if not name[0].isupper() or not callable(vars(sitk)[name]) or inspect.isclass(vars(sitk)[name]):
        return False
    stem = name.removesuffix("Source")
    return any(
        hasattr(sitk, owner)
        for owner in (f"{name}ImageFilter", f"{name}Filter", f"{stem}ImageSource", f"{stem}Source")
        if owner != name
    )


def _overloads(name: str) -> list[dict[str, object]]:
    function = vars(sitk)[name]
    overloads: list[dict[str, object]] = []
    if name in _BY_HAND:
        return [{**(_overload(name, _BY_HAND[name], "Image") or {}), "named": True}]
    for owner, parameters, result in _OVERLOAD.findall(function.__doc__ or ""):
        overload = _overload(name, _split(parameters), result) if owner == name else None
        if overload is not None and overload not in overloads:
            overloads.append(overload)
    return overloads or _annotated_overloads(name)


def _annotated_overloads(name: str) -> list[dict[str, object]]:
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
    overload = _overload(name, parameters, result)
    return [] if overload is None else [overload]


def _overload(name: str, parameters: list[str], result: str) -> dict[str, object] | None:
    if result not in _RESULTS:
        return None
    parsed: list[Parameter] = []
    for text in parameters:
        head, given, default = text.partition("=")
        tokens = head.replace("&", " ").replace("const ", " ").split()
        declared = " ".join(tokens[:-1]).replace("itk::simple::", "")
        kind = _kind(declared)
        if kind is None:
            if given:
                break  # this parameter and all after it keep their defaults
            return None
        if "LabelMap" in name and "ToLabelMap" not in name and tokens[-1] != "featureImage":
            kind = {"image": "labels", "images": "labellings"}.get(kind, kind)
        if kind == "integers":
            kind = VECTORS.get(tokens[-1], kind)
        # The default seed of a noise filter is the time: results must not depend on it. The default
        # extents may be larger than the image.
        optional = bool(given) and (tokens[-1], kind) != ("seed", "integer") and kind != "extents"
        parameter: Parameter = {"name": tokens[-1], "kind": kind, "optional": optional}
        if kind == "enum":
            parameter["choices"] = _choices(declared, default)
        for key in (tokens[-1], f"{name}.{tokens[-1]}"):
            parameter |= BOUNDS.get(key, {})
        parsed.append(parameter)
    for position in range(len(parsed) - 2, -1, -1):
        if not parsed[position + 1]["optional"]:
            parsed[position]["optional"] = False
    return {"parameters": parsed, "result": _RESULTS[result]}


def _kind(declared: str) -> str | None:
    if declared in _KINDS:
        return _KINDS[declared]
    if _INTEGER.fullmatch(declared):
        return "integer"
    if declared in ("VectorDouble", "VectorFloat"):
        return "numbers"
    if _VECTOR.fullmatch(declared):
        return "integers"
    return "enum" if declared.endswith(("Type", "Enum", "Function")) else None


def _choices(declared: str, default: str) -> dict[str, int]:
    """Return the values of an enumeration by name.

    A class has the enumerators of all its enumerations in a row, each from 0: the enumeration is
    the group that contains the default, or the first.
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
    """Split a parameter list at the commas outside brackets."""
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
    """Return the content of the table's file: one function per line."""
    rows = [
        f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}"
        for name, entry in table().items()
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(render(), encoding="utf-8")
