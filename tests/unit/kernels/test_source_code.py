"""Syntax trees of loaded code."""

from __future__ import annotations

import ast
import gc
import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from voxk8s.kernels.source_code import (
    _loaded,
    function_source,
    names_in,
    remember_modules,
    remember_source,
    statements_about,
)

TEXT = """
LIMIT = [3]
LIMIT.append(4)

def first(x):
    return x + LIMIT[0]

pair = (lambda x: x, lambda x: x)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "sourced", raising=False)
    (tmp_path / "sourced.py").write_text(TEXT)
    importlib.invalidate_caches()
    return importlib.import_module("sourced")


def test_a_function_has_the_tree_of_its_text(module: ModuleType) -> None:
    """Found by its code, not by its line."""
    found = function_source(module.first)
    assert isinstance(found, ast.FunctionDef)
    assert found.name == "first"


def test_the_text_of_the_time_of_loading_is_kept(module: ModuleType) -> None:
    """A file that is edited later does not take the source away."""
    remember_source(module.first)
    Path(str(module.__file__)).write_text("def first(x):\n    return x - 1\n")
    found = function_source(module.first)
    assert found is not None
    assert "LIMIT" in names_in(found)


def test_a_tree_of_other_code_is_not_returned(module: ModuleType) -> None:
    """Without the text of the loaded code there is no tree."""
    Path(str(module.__file__)).write_text("def first(x):\n    return x - 1\n")
    assert function_source(module.first) is None


def test_functions_that_cannot_be_told_apart_have_no_tree(module: ModuleType) -> None:
    """Two lambdas on one line."""
    assert function_source(module.pair[0]) is None


def test_statements_about_a_name_are_those_that_mention_it(module: ModuleType) -> None:
    """Definitions count by their values instead; a cell has no statements."""
    found = statements_about("LIMIT", vars(module))
    assert [ast.unparse(each) for each in found or ()] == ["LIMIT = [3]", "LIMIT.append(4)"]
    assert statements_about("absent", vars(module)) is None
    assert statements_about("LIMIT", {"__name__": "__main__", "__file__": module.__file__}) is None


def test_the_text_of_a_module_is_kept_as_long_as_it_is_loaded(module: ModuleType) -> None:
    """Its statements have done what they said then, whatever its file says by now."""
    remember_modules([module.__name__])
    file = Path(str(module.__file__))
    file.write_text(TEXT.replace("LIMIT = [3]", "LIMIT = [3000]"))
    found = statements_about("LIMIT", vars(module))
    assert next(ast.unparse(each) for each in found or ()) == "LIMIT = [3]"
    importlib.reload(module)
    found = statements_about("LIMIT", vars(module))
    assert next(ast.unparse(each) for each in found or ()) == "LIMIT = [3000]"
    assert function_source(module.first) is not None


def test_functions_and_statements_of_a_module_come_from_one_text(module: ModuleType) -> None:
    """Also when its file was edited, and edited again after it was loaded anew."""
    remember_modules([module.__name__])
    file = Path(str(module.__file__))
    file.write_text(TEXT.replace("LIMIT = [3]", "LIMIT = [3000]").replace("x + L", "x - L"))
    importlib.reload(module)
    remember_modules([module.__name__])
    file.write_text(TEXT)
    found = function_source(module.first)
    assert found is not None
    assert "x - LIMIT" in ast.unparse(found)
    statements = statements_about("LIMIT", vars(module))
    assert next(ast.unparse(each) for each in statements or ()) == "LIMIT = [3000]"


def test_texts_are_kept_no_longer_than_their_modules(module: ModuleType) -> None:
    """A notebook that loads a module again and again keeps one text of it."""

    def texts() -> int:
        gc.collect()
        return sum("LIMIT.append(4)" in text for text in _loaded.values())

    before = texts()
    for _ in range(5):
        remember_modules([module.__name__])
        importlib.reload(module)
    assert texts() - before <= 1
