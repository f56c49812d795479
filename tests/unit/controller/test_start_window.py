"""How many runs may be starting at a time."""

from __future__ import annotations

from voxk8s.controller.start_window import StartWindow


def test_the_window_grows_by_each_that_begins() -> None:
    """For each that has begun two more may start: its own place is free, too."""
    window = StartWindow(2)
    places = []
    for uid in ("a", "b"):
        places.append(window.has_place)
        window.starts(uid)
    places.append(window.has_place)
    window.begins("a")
    for uid in ("c", "d"):
        places.append(window.has_place)
        window.starts(uid)
    assert places == [True, True, False, True, True]
    assert (window.has_place, window.size) == (False, 3)
    window.begins("a")  # that it has begun is counted once
    window.begins("never started")
    assert window.size == 3


def test_few_again_when_a_pod_fits_nowhere() -> None:
    """And it does not grow while that is so."""
    window = StartWindow(1)
    window.starts("a")
    window.begins("a")
    assert window.size == 2
    window.starts("b")
    window.starts("c", crowded=True)
    assert (window.size, window.has_place) == (1, False)
    window.begins("b")
    assert (window.size, window.has_place) == (1, False)
    window.starts("c")
    window.begins("c")
    assert window.size == 2


def test_one_that_is_over_is_no_sign_of_room() -> None:
    """It leaves its place, and the window as it is."""
    window = StartWindow(1)
    window.starts("a", crowded=True)
    window.ends("a")
    assert (window.size, window.has_place) == (1, True)


def test_one_that_takes_long_leaves_its_place_and_counts_when_it_begins() -> None:
    """Once, and not if it is over before."""
    window = StartWindow(1)
    for uid in ("a", "b"):
        window.starts(uid)
        window.delays(uid)
    assert (window.size, window.starting) == (1, 0)
    window.ends("b")
    for uid in ("a", "a", "b"):
        window.begins(uid)
    assert window.size == 2


def test_few_again_when_nobody_waits() -> None:
    """What room there was may be gone."""
    window = StartWindow(1)
    window.starts("a")
    window.begins("a")
    window.close()
    assert window.size == 1


def test_any_number() -> None:
    """Without a number nobody waits."""
    window = StartWindow(0)
    window.starts("a", crowded=True)
    assert window.has_place
