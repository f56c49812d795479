"""Every constant is defined once, documented and used."""

from __future__ import annotations

import ast
import re

from tests.support.paths import ROOT

PACKAGE = ROOT / "voxk8s"
CONSTANTS = PACKAGE / "constants.py"


def names() -> dict[str, bool]:
    """Return the constants, and whether a docstring follows each."""
    body = ast.parse(CONSTANTS.read_text()).body
    return {
        line.target.id: isinstance(after, ast.Expr)
        for line, after in zip(body, [*body[1:], ast.Pass()], strict=True)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    }


def test_every_constant_is_used() -> None:
    """A reason or variable that no code uses would be looked for in vain."""
    code = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py") if path != CONSTANTS)
    used = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", code))
    assert sorted(set(names()) - used) == []


def test_every_reason_is_documented() -> None:
    """Users look reasons up."""
    reasons = {
        name: documented for name, documented in names().items() if name.startswith("REASON_")
    }
    assert reasons
    assert sorted(name for name, documented in reasons.items() if not documented) == []
