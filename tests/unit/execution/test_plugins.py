"""Plugins that are found by name."""

from __future__ import annotations

import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.execution.plugins import load_plugin

BUILT_IN = {"pi": "math:pi"}


def test_a_built_in_plugin_is_loaded_by_its_name() -> None:
    """The attribute of the module is returned."""
    assert load_plugin("number", "pi", BUILT_IN, "voxk8s.none") == pytest.approx(3.14159, abs=1e-5)


def test_an_entry_point_of_the_group_is_loaded() -> None:
    """An installed package may declare plugins; pytest declares its command."""
    assert callable(load_plugin("command", "pytest", {}, "console_scripts"))


def test_an_unknown_name_is_refused_with_all_known_ones() -> None:
    """The message has the kind of the plugin and the names to choose from."""
    with pytest.raises(InvalidUsage, match="unknown number 'e': must be one of pi"):
        load_plugin("number", "e", BUILT_IN, "voxk8s.none")
