"""Where the tables of a run stand in its drawing: what depends on what in, coordinates out.

Two drawings of the same: a wide one, with a column for each step of the way, and a tall one for
narrow screens, with all tables below each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NODE_WIDTH = 208
NODE_HEIGHT = 52
COLUMN_GAP = 72
ROW_GAP = 20
MARGIN = 4
# In the tall drawing lines run beside the nodes, each in a lane of its own.
LANE = 14
TALL_NODE_WIDTH = 236


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    x: int
    y: int
    width: int
    height: int = NODE_HEIGHT


@dataclass(frozen=True, slots=True)
class Edge:
    """From a table to one that needs it; ``path`` is the ``d`` of an SVG path."""

    need: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def layers(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Names by step: each stands one step after the last of those it needs.

    ``needs`` lists every name after those it needs; a need that is not listed counts for nothing.
    """
    step: dict[str, int] = {}
    for name, wanted in needs.items():
        step[name] = 1 + max((step[need] for need in wanted if need in step), default=-1)
    found: list[list[str]] = [[] for _ in range(max(step.values(), default=-1) + 1)]
    for name, place in step.items():
        found[place].append(name)
    return found


def draw_wide(needs: Mapping[str, Sequence[str]]) -> Drawing:
    columns = layers(needs)
    tallest = max((len(column) for column in columns), default=0)
    height = _extent(tallest, NODE_HEIGHT, ROW_GAP)
    nodes: dict[str, Node] = {}
    for place, column in enumerate(columns):
        top = (height - _extent(len(column), NODE_HEIGHT, ROW_GAP)) // 2
        for row, name in enumerate(column):
            x = MARGIN + place * (NODE_WIDTH + COLUMN_GAP)
            y = top + MARGIN + row * (NODE_HEIGHT + ROW_GAP)
            nodes[name] = Node(name, x, y, NODE_WIDTH)
    width = _extent(len(columns), NODE_WIDTH, COLUMN_GAP)
    edges = [
        Edge(need, name, _across(nodes[need], nodes[name])) for need, name in _pairs(needs, nodes)
    ]
    return Drawing(width, height, tuple(nodes.values()), tuple(edges))


def draw_tall(needs: Mapping[str, Sequence[str]]) -> Drawing:
    names = [name for layer in layers(needs) for name in layer]
    nodes = {
        name: Node(name, MARGIN, MARGIN + row * (NODE_HEIGHT + ROW_GAP), TALL_NODE_WIDTH)
        for row, name in enumerate(names)
    }
    pairs = _pairs(needs, nodes)
    edges = [
        Edge(need, name, _beside(nodes[need], nodes[name], lane))
        for lane, (need, name) in enumerate(pairs, start=1)
    ]
    width = TALL_NODE_WIDTH + 2 * MARGIN + LANE * (len(pairs) + 1)
    return Drawing(
        width, _extent(len(names), NODE_HEIGHT, ROW_GAP), tuple(nodes.values()), tuple(edges)
    )


def _pairs(needs: Mapping[str, Sequence[str]], nodes: Mapping[str, Node]) -> list[tuple[str, str]]:
    return [(need, name) for name, wanted in needs.items() for need in wanted if need in nodes]


def _extent(count: int, size: int, gap: int) -> int:
    return 2 * MARGIN + count * size + max(0, count - 1) * gap


def _across(need: Node, node: Node) -> str:
    """A curve from the right edge of one node to the left edge of the other."""
    x1, y1 = need.x + need.width, need.y + need.height // 2
    x2, y2 = node.x, node.y + node.height // 2
    bend = (x1 + x2) // 2
    return f"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"


def _beside(need: Node, node: Node, lane: int) -> str:
    """Out to the lane on the right, along it, and back in."""
    edge = need.x + need.width
    x = edge + lane * LANE
    return f"M{edge} {need.y + need.height // 2}H{x}V{node.y + node.height // 2}H{edge}"
