"""Coordinates of the graph of operations."""

from __future__ import annotations

from voxk8s.report import Graph, GraphNode
from voxk8s.report.graph_layout import HEIGHT, WIDTH, draw_graph


def graph(count: int, *edges: tuple[int, int]) -> Graph:
    """Make a graph of operations."""
    return Graph((GraphNode("vox1.near", computed=1),) * count, edges)


def test_arguments_are_above() -> None:
    """A node is below all that it needs, and lines lead down."""
    drawing = draw_graph(graph(4, (0, 1), (0, 2), (1, 3), (2, 3)))
    heights = [y for _, y in drawing.corners]
    assert heights[0] < heights[1] == heights[2] < heights[3]
    (x, y), (to_x, to_y) = drawing.corners[0], drawing.corners[1]
    assert drawing.lines[0].startswith(f"M{x + WIDTH // 2} {y + HEIGHT}C")
    assert drawing.lines[0].endswith(f" {to_x + WIDTH // 2} {to_y}")


def test_boxes_do_not_overlap() -> None:
    """Nor leave the drawing, however many stand beside each other."""
    drawing = draw_graph(graph(40, *((node, 39) for node in range(39))))
    assert len(set(drawing.corners)) == 40
    for one, (x, y) in enumerate(drawing.corners):
        assert 0 <= x <= drawing.width - WIDTH
        assert 0 <= y <= drawing.height - HEIGHT
        for other_x, other_y in drawing.corners[:one]:
            assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT


def test_lines_do_not_cross_without_need() -> None:
    """Two chains whose order differs are drawn beside each other."""
    corners = draw_graph(graph(4, (0, 3), (1, 2))).corners
    assert (corners[0][0] < corners[1][0]) == (corners[3][0] < corners[2][0])


def test_a_cycle_of_summed_operations_is_drawn() -> None:
    """Kernels that need each other in turn have a line in both directions."""
    assert len(draw_graph(graph(2, (0, 1), (1, 0))).lines) == 2


def test_nothing_is_drawn_of_nothing() -> None:
    """A plan without operations."""
    assert draw_graph(Graph()).height == 0
