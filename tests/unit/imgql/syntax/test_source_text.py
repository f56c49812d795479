"""Tests of program texts: parameters are replaced and positions are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voxk8s.imgql.syntax.source_text import Source


def test_a_parameter_is_replaced_in_names_and_strings() -> None:
    """`$NAME` is replaced by its value everywhere but in comments."""
    source = Source("p", 'let img$C = "$D/$C.nii" // $E', {"C": "7", "D": "/in"})
    assert source.code == 'let img7 = "/in/7.nii" // $E'
    assert not source.missing


def test_the_longest_given_name_wins() -> None:
    """`$INPUTDIR` is not `$INPUT` followed by DIR if both are given."""
    given_values = {"INPUT": "a", "INPUTDIR": "b"}
    assert Source("p", "$INPUTDIR $INPUTX $INPUT_1", given_values).code == "b aX a_1"


def test_a_missing_parameter_is_listed_with_its_place() -> None:
    """A reference without a value remains in the code and is listed."""
    source = Source("p", "let a = $B", {"A": "1"})
    assert [(each.text, each.start) for each in source.missing] == [("$B", 8)]


def test_a_value_cannot_end_a_string() -> None:
    """Quotes and backslashes of a value are escaped inside a string."""
    source = Source("p", 'print "$A" 1', {"A": 'x" 2 \\'})
    assert source.code == 'print "x\\" 2 \\\\" 1'


def test_values_are_not_searched_for_parameters() -> None:
    """A value that looks like a parameter remains as it is."""
    assert Source("p", "$A", {"A": "$B", "B": "1"}).code == "$B"


def test_positions_are_those_of_the_user() -> None:
    """A token after a replaced parameter has the column where the user wrote it."""
    source = Source("p", "a\n$LONG + b", {"LONG": "x"})
    assert source.position(source.code.index("b")) == (2, 9)
    assert source.position(source.code.index("x")) == (2, 1)


@given(
    st.lists(st.sampled_from(["$A", "$BB", " ", "\n", "ab", "+"]), max_size=12),
    st.text("xy", max_size=4),
)
def test_positions_lead_back_to_the_same_character(pieces: list[str], value: str) -> None:
    """Every character that was not replaced is found where it was."""
    text = "".join(pieces)
    source = Source("p", text, {"A": value, "BB": value + "z"})
    for offset, character in enumerate(source.code):
        line, column = source.position(offset)
        original = text.split("\n")[line - 1] + "\n"
        if character in "ab+ \n":
            assert original[column - 1] == character


def test_variables_are_strings() -> None:
    """Inside of a string they are part of it; a parameter of the same name comes first."""
    text = 'let a = concat("out/$stem", $stem)\nlet b = $dirs'
    source = Source("p", text, {}, variables={"stem": 'a"b', "dir": "d"})
    assert source.code.splitlines()[0] == 'let a = concat("out/a\\"b", "a\\"b")'
    assert [token.text for token in source.missing] == ["$dirs"]
    assert Source("p", "$stem", {"stem": "x"}, variables={"stem": "y"}).code == "x"
