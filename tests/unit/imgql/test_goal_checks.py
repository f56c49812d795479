"""Tests of what a careful reader asks about goals."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error

HEAD = 'import "vox1"\nload img = "scan.nii.gz"\n'


def test_a_file_is_saved_once() -> None:
    """The second one would replace the first."""
    message = compile_error('save "a.json" 1\nsave "./a.json" 2')
    assert '2:6: error: the file "./a.json" is already saved at main.imgql:1:6' in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('print "a" 1\nprint "a" 2', '"a" is already printed at main.imgql:3:7'),
        (
            'print "a" 1\nprint "b" 2\nprint "a" 3\nprint "a" 4',
            '"a" is already printed at main.imgql:3:7, one of 3 times',
        ),
        ('print "a" img', "only a summary of an image is printed"),
        ('save "a" img', "only a summary of an image is written, without its voxels"),
        ('save "a.xlsx" 1', ".xlsx is no format that is known here: the value is written as text"),
        ('save "a.png" near(img)', "the middle axial slice is written if this is a volume"),
    ],
)
def test_what_a_goal_does_not_show_is_a_warning(text: str, message: str) -> None:
    """With the way to say what may be meant."""
    (warning,) = check_text(HEAD + text)
    assert warning.severity == "warning"
    assert message in warning.message


@pytest.mark.parametrize(
    "text",
    [
        'save "a.png" load("a.png")',
        'save "a.csv" "a,b"',
        'save "a.csv" [1, 2]',
        'print "a" volume(img)',
    ],
)
def test_what_is_shown_whole_has_no_warning(text: str) -> None:
    """Such as pictures of pictures."""
    assert not check_text(HEAD + text)
