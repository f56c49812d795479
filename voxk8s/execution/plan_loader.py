"""Loads plans from a path, text, bytes or a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from voxk8s.errors import InvalidPlan, InvalidUsage
from voxk8s.kernels import registry
from voxk8s.plan import WorkPlan, decode

_YAML = (".yaml", ".yml")


def load_plan(source: str | bytes | PathLike[str] | Mapping[str, object] | WorkPlan) -> WorkPlan:
    """Read and check a plan document.

    `source` is a path (JSON or YAML by its suffix), the text of a JSON document (or a YAML one:
    whatever does not begin like JSON and is no path), its bytes, or a mapping. Raises InvalidPlan
    for a document that is invalid and InvalidUsage for a file that cannot be read.
    """
    if isinstance(source, WorkPlan):
        return source
    index = registry()
    if isinstance(source, Mapping):
        return decode(source, index=index)
    if isinstance(source, PathLike):
        return _read(Path(source))
    if not isinstance(source, str | bytes):
        raise InvalidUsage(
            "expected a path, the text or bytes of a plan document, or a mapping, got"
            f" {type(source).__name__}"
        )
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start in ("{", "["):
        return decode(source, index=index)
    if not start:
        raise InvalidPlan("the document is empty")
    if isinstance(source, str) and _is_path(source):
        return _read(Path(source))
    return decode(source, index=index, format="yaml")


def _is_path(text: str) -> bool:
    """Whether a text that could be a YAML document is the path of a file."""
    if "\n" in text:
        return False
    if ": " not in text and not text.rstrip().endswith(":"):
        return True
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> WorkPlan:
    if path.suffix.lower() == ".imgql":
        raise InvalidUsage(
            f"{path} is a program: give its text to voxk8s.compile_program to get a plan"
        )
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidUsage(f"the plan {_clip(str(path))} cannot be read: {reason}") from error
    is_yaml = path.suffix.lower() in _YAML
    return decode(data, index=registry(), format="yaml" if is_yaml else "json")


def _clip(text: str, length: int = 300) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
