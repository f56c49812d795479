"""Tests of the functions of libraries that a program refers to."""

from __future__ import annotations

from voxk8s.imgql.lower.library_functions import LibraryFunctions


def test_a_name_is_one_function_with_and_without_its_namespace() -> None:
    """So that it is lowered and evaluated once."""
    library = LibraryFunctions()
    ((namespace, function),) = library.find("xor")
    assert namespace == "vox1"
    assert library.find("vox1.xor") == [("vox1", function)]
    assert library.find("xor")[0][1] is function
    definition = library.definition(function)
    assert definition is not None
    assert definition.header.name.text == "xor"


def test_each_program_has_functions_of_its_own() -> None:
    """What is known of a function in one program is not known in another."""
    assert LibraryFunctions().find("xor") != LibraryFunctions().find("xor")


def test_other_names_are_not_in_libraries() -> None:
    """Names of namespaces that are not asked for are not either."""
    library = LibraryFunctions()
    assert library.find("nothing") == []
    assert library.namespaces("nothing") == []
    assert library.namespaces("ReadImage") == ["simpleitk"]
    assert "ReadImage" not in library.known({"vox1", "strings"})
    assert {"xor", "ReadImage"} <= set(library.known({"vox1", "simpleitk"}))
