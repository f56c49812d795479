"""How the server counts lines, and what it calls documents without a file."""

from __future__ import annotations

from pygls.workspace import TextDocument

from voxk8s.cli.language_server.server import lines_of, program_name


def test_lines_are_those_of_the_compiler() -> None:
    """A form feed or a Unicode separator does not begin a new one."""
    assert lines_of("a\fb\u2028c\r\nd") == ["a\fb\u2028c\r\n", "d\n"]


def test_programs_are_named_by_their_path() -> None:
    """Imports are relative to it; a new document has only the name that the editor gave it."""
    assert program_name(TextDocument("file:///p/a%20b.imgql", "")) == "/p/a b.imgql"
    assert program_name(TextDocument("untitled:Untitled-1", "")) == "untitled:Untitled-1"
