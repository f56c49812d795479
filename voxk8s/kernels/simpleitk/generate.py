"""Writes the table of SimpleITK's functions that plans may call: `python -m` this module.

The table lies in the package, so that a plan is checked where SimpleITK is not installed. It is
found by introspection: a function is taken when it stands for an ITK filter or source, when its
parameters can be written in a plan, and when it neither reads nor writes anything.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Final

import SimpleITK as sitk

TABLE: Final = Path(__file__).with_name("functions.json")
DENIED: Final = frozenset({"ReadImage", "WriteImage", "Show", "ReadTransform", "WriteTransform"})
"""What touches files or screens, should it ever look like a filter."""

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
    "PixelIDValueEnum": "enum",
    "InterpolatorEnum": "enum",
}
_WHOLE: Final = re.compile(r"u?int(8|16|32|64)_t|size_t")
_VECTOR: Final = re.compile(r"Vector(UInt8|UInt32|UInt64|Int32|Int64|Int8|Int16|UInt16|Bool)")
_RESULTS: Final = {
    "Image": "image",
    "double": "number",
    "std::string": "string",
    "VectorDouble": "sequence",
    "VectorUInt32": "sequence",
}
_OVERLOAD: Final = re.compile(r"(\w+)\s*\(((?:[^()]|\([^()]*\))*)\)\s*->\s*([\w:]+)")

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
        if name in DENIED or not _stands_for_a_filter(name):
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
        return [{**(_form(_BY_HAND[name], "Image") or {}), "named": True}]
    for owner, parameters, result in _OVERLOAD.findall(function.__doc__ or ""):
        form = _form(_split(parameters), result) if owner == name else None
        if form is not None and form not in forms:
            forms.append(form)
    return forms or _annotated(function)


def _annotated(function: object) -> list[dict[str, object]]:
    signature = inspect.signature(function)  # type: ignore[arg-type]  # a function, see above
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
    form = _form(parameters, result)
    return [] if form is None else [form]


def _form(parameters: list[str], result: str) -> dict[str, object] | None:
    if result not in _RESULTS:
        return None
    described: list[Parameter] = []
    for text in parameters:
        head, given, _ = text.partition("=")
        words = head.replace("&", " ").replace("const ", " ").split()
        kind = _kind(" ".join(words[:-1]).replace("itk::simple::", "")) if len(words) > 1 else None
        if kind is None:
            if given:
                break  # this one and all after it keep their defaults
            return None
        # The default seed is the clock's: results must not depend on it.
        optional = bool(given) and words[-1] != "seed"
        described.append({"name": words[-1], "kind": kind, "optional": optional})
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
    return "enum" if declared.endswith(("Type", "Enum")) else None


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
