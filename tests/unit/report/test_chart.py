"""The timeline as numbers that an SVG draws."""

from __future__ import annotations

from typing import Any

from tests.unit.report.scenes import START, operation
from voxk8s.report import Operation
from voxk8s.report.chart import COLOURS, LEFT, ROW, TOP, WIDTH, Chart, chart


def draw(*operations: Operation, kernels: tuple[str, ...] = ("vox1.near",)) -> Chart:
    """Draw operations in ten seconds."""
    return chart(operations, START, START + 10, kernels)


def test_boxes_are_scaled_to_the_width() -> None:
    """One of ten seconds is a tenth of it."""
    box, second = draw(operation(0), operation(2, seconds=0.25)).boxes
    assert (box.x, box.y, box.width) == (str(LEFT), TOP, str(WIDTH // 10))
    assert (second.x, second.width) == (str(LEFT + WIDTH // 5), str(WIDTH // 40))


def test_rows_are_below_each_other() -> None:
    """The height grows with their number."""
    drawn = draw(operation(0, worker="a"), operation(0, worker="b"))
    assert [box.y for box in drawn.boxes] == [TOP, TOP + ROW]
    assert drawn.rows == 2
    assert drawn.height - draw(operation(0)).height == ROW


def test_short_operations_can_be_seen() -> None:
    """A box has a least width."""
    (box,) = draw(operation(0, seconds=1e-6)).boxes
    assert float(box.width) > 0.5


def test_the_first_kernels_have_colours() -> None:
    """The legend has those that are drawn; all others share the colour 0."""
    kernels = tuple(f"k{number}" for number in range(COLOURS + 1))
    parts: list[dict[str, Any]] = [{"kernel": kernels[1]}, {"kernel": kernels[COLOURS]}]
    drawn = draw(*(operation(n, **part) for n, part in enumerate(parts)), kernels=kernels)
    assert [box.colour for box in drawn.boxes] == [2, 0]
    assert drawn.legend == ((2, "k1"), (0, "other kernels"))


def test_titles_describe_operations() -> None:
    """Kernel, id, time and start; attempts if there were several."""
    first, second = draw(operation(0), operation(2, attempts=3)).boxes
    assert first.title == f"vox1.near {'0' * 12}: 1 s from 0 s"
    assert second.title.endswith("1 s from 2 s, 3 attempts")


def test_titles_count_operations_that_are_drawn_together() -> None:
    """They have the kernel that took most of the time."""
    (box,) = draw(*(operation(n, started=START + n * 1e-4, seconds=9e-5) for n in range(3))).boxes
    assert box.title.startswith("3 operations, ")
    assert box.title.endswith(": vox1.near most")


def test_workers_are_named_once() -> None:
    """Short names are explained, long ones cut; the title has the whole name."""
    long = "voxk8s-0123456789-default-worker-1"
    operations = [operation(n, worker=name) for n, name in enumerate(("", "7", long))]
    labels = draw(*operations, operation(1, worker="7")).workers
    assert [label.text for label in labels][:2] == ["this process", "worker 7"]
    assert len(labels) == 3
    assert len(labels[2].text) <= 20
    assert labels[2].title == long


def test_ticks_have_times() -> None:
    """From the start, at the left edge."""
    ticks = draw(operation(0)).ticks
    assert (ticks[0].x, ticks[0].text) == (str(LEFT), "0 s")
    assert (ticks[1].x, ticks[1].text) == (str(LEFT + WIDTH // 10), "1 s")
