"""The values of constants in documents: finite, Unicode, and exact.

The Kubernetes API server rewrites numbers of inline plans: `5.0` becomes `5`, `-0.0` becomes `0`.
In plans from a resource, a 64-hex id therefore shows which number was written.
"""

from __future__ import annotations

import re
from math import isfinite

from msgspec import UNSET

from voxk8s.errors import InvalidPlan
from voxk8s.plan.document.wire import ConstantForm
from voxk8s.plan.identity import constant_id
from voxk8s.plan.model import Scalar
from voxk8s.plan.suggest import clip, is_encodable

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")
_HEX_ID = re.compile(r"[0-9a-f]{64}\Z")
_LARGEST = 10**4300
"""Python converts integers of fewer digits only."""


def read_constant(form: ConstantForm, path: str, from_resource: bool) -> Scalar:
    """Return a constant's value; raises InvalidPlan."""
    value = form.value
    if value is UNSET or form.float is not UNSET or form.int is not UNSET:
        return _read_exact(form, path)
    if isinstance(value, float) and not isfinite(value):
        raise InvalidPlan("a number must be finite", f"{path}.value")
    if isinstance(value, str):
        if not is_encodable(value):
            raise InvalidPlan("a string has a lone surrogate", f"{path}.value")
    elif isinstance(value, int) and not -_LARGEST < value < _LARGEST:
        raise InvalidPlan("an integer has too many digits", f"{path}.value")
    elif from_resource and not isinstance(value, bool) and _HEX_ID.match(form.id):
        return _with_id(value, form.id)
    return value


def _with_id(value: float, name: str) -> int | float:
    """Return the form of a number that has the id `name`; the number itself if none has."""
    forms: list[int | float] = [value]
    if isinstance(value, int):
        try:
            forms.append(float(value))
        except OverflowError:
            return value
    elif value.is_integer():
        forms.append(int(value))
    if value == 0:
        forms.append(-0.0)
    return next((form for form in forms if constant_id(form) == name), value)


def _read_exact(form: ConstantForm, path: str) -> int | float:
    given = [field for field in ("value", "float", "int") if getattr(form, field) is not UNSET]
    if len(given) != 1:
        raise InvalidPlan(f"expected exactly one of value, float and int, found {len(given)}", path)
    text = getattr(form, given[0])
    pattern, convert = (_DECIMAL, float) if given[0] == "float" else (_INTEGER, int)
    place = f"{path}.{given[0]}"
    if not pattern.match(text):
        raise InvalidPlan(f"expected the text of a number, found {clip(text)}", place)
    try:
        value = convert(text)
    except ValueError as error:
        raise InvalidPlan("an integer has too many digits", place) from error
    if isinstance(value, float) and not isfinite(value):
        raise InvalidPlan("a number must be finite", place)
    return value
