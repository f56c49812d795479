"""Syntax trees of loaded code."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from voxk8s.kernels.source_code import (
    function_source,
    names_in,
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
