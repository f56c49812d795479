"""Box plots of seconds and sizes by kernel."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.report.scenes import operation
from voxk8s.report.box_plots import LEFT, MOST_KERNELS, WIDTH, box_plots, spread


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_quartiles_are_those_of_numpy(count: int) -> None:
    """Linear between neighbours; one value is all of them."""
    values = list(np.random.default_rng(count).exponential(1, count))
    found = spread("k", values)
    expected = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    assert np.allclose([found.least, found.lower, found.middle, found.upper, found.most], expected)


def test_boxes_lie_on_a_logarithmic_scale() -> None:
    """From the power of ten below the least value to that above the largest one."""
    times = [0.02, 0.1, 1.0, 10.0, 50.0]
    operations = [operation(number, seconds=time) for number, time in enumerate(times)]
    plot = box_plots(operations, ["vox1.near"])[0]
    (box,) = plot.boxes
    assert [text for _, text in plot.ticks] == ["10 ms", "100 ms", "1 s", "10 s", "1 min 40 s"]
    assert float(plot.ticks[0][0]) == LEFT
    assert float(plot.ticks[-1][0]) == LEFT + WIDTH
    assert float(box.middle) == LEFT + WIDTH / 2
    assert box.box == (f"{LEFT + WIDTH / 4:.1f}", f"{WIDTH / 2:.1f}")
    assert box.title == (
        "vox1.near, 5 operations: median 1 s, half from 100 ms to 10 s, all from 20 ms to 50 s"
    )


def test_what_was_not_computed_here_does_not_count() -> None:
    """Nor kernels without operations, nor a measure that is always 0."""
    plots = box_plots(
        [
            operation(0, seconds=1.0, bytes=0),
            operation(1, seconds=9.0, failed=True),
            operation(2, seconds=9.0, found=True),
        ],
        ["vox1.near", "vox1.maxvol"],
    )
    assert [(plot.name, len(plot.boxes)) for plot in plots] == [("seconds", 1)]
    assert plots[0].boxes[0].spread.count == 1
    assert box_plots([], ["vox1.near"]) == ()


def test_sizes_of_zero_stand_at_the_left() -> None:
    """A logarithm has none, and the first kernels are drawn only."""
    names = [f"k{number}" for number in range(MOST_KERNELS + 5)]
    operations = [operation(number, kernel=name, bytes=number) for number, name in enumerate(names)]
    plot = box_plots(operations, names)[1]
    assert len(plot.boxes) == MOST_KERNELS
    assert float(plot.boxes[0].middle) == LEFT
    assert plot.boxes[0].spread.least == 0
    large = [operation(0, bytes=100), operation(1, bytes=5 << 20)]
    ticks = box_plots(large, ["vox1.near"])[1].ticks
    assert [text for _, text in ticks] == ["32 B", "1 KiB", "32 KiB", "1 MiB", "32 MiB"]
