"""What a run used, as curves."""

from __future__ import annotations

from voxk8s.report import Usage
from voxk8s.report.chart import LEFT, WIDTH
from voxk8s.report.usage_chart import HEIGHT, usage_chart

SAMPLES = (Usage(10.0, 1.0, 1 << 30), Usage(15.0, 2.0, 1 << 29), Usage(99.0, 50.0, 1 << 40))


def test_curves_have_the_time_of_the_run() -> None:
    """Each is as high as its largest value; what was read after the end does not count."""
    drawn = usage_chart(SAMPLES, 10.0, 20.0)
    assert drawn is not None
    cores, memory = drawn.curves
    assert (cores.name, cores.most) == ("processor cores", "2.0")
    assert memory.most == "1 GiB"
    first = f"M{LEFT}.0 {HEIGHT}L{LEFT}.0 {HEIGHT / 2:.1f}"
    assert cores.path == f"{first}L{LEFT + WIDTH / 2:.1f} 0.0L{LEFT + WIDTH / 2:.1f} {HEIGHT}Z"


def test_workers_are_drawn_where_there_are_several() -> None:
    """One process needs no curve."""
    drawn = usage_chart((*SAMPLES, Usage(16.0, 1.0, 1, 3)), 10.0, 20.0)
    assert drawn is not None
    assert [(each.name, each.most) for each in drawn.curves][2:] == [("workers", "3")]


def test_one_sample_is_no_curve() -> None:
    """Nothing is drawn of runs that end at once."""
    assert usage_chart(SAMPLES[:1], 10.0, 20.0) is None
