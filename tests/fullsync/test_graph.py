"""The drawing of tables: steps from left to right, nothing over anything else."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from fullsync.graph import Drawing, Node, draw_tall, draw_wide, layers

NEEDS = {"A": (), "B": (), "C": ("A", "B"), "D": ("C",), "E": ("A", "GONE")}


def test_each_table_stands_one_step_after_the_last_it_needs() -> None:
    assert layers(NEEDS) == [["A", "B"], ["C", "E"], ["D"]]


def test_nothing_gives_an_empty_drawing() -> None:
    assert draw_wide({}).nodes == ()
    assert draw_tall({}).nodes == ()


def test_every_need_is_a_line_in_both_drawings() -> None:
    wanted = {("A", "C"), ("B", "C"), ("C", "D"), ("A", "E")}

    assert {(edge.need, edge.name) for edge in draw_wide(NEEDS).edges} == wanted
    assert {(edge.need, edge.name) for edge in draw_tall(NEEDS).edges} == wanted


def test_the_tall_drawing_fits_a_narrow_screen_unscaled() -> None:
    shop = {"SALESPEOPLE": (), "CURRENCY": (), "CUSTOMER": ("SALESPEOPLE", "CURRENCY")}

    assert draw_tall(shop).width <= 290


@st.composite
def _acyclic(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [f"T{number}" for number in range(draw(st.integers(0, 12)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        for place, name in enumerate(names)
    }


@given(needs=_acyclic())
def test_no_table_lies_on_another_and_all_lie_within(needs: dict[str, list[str]]) -> None:
    for drawing in (draw_wide(needs), draw_tall(needs)):
        assert {node.name for node in drawing.nodes} == needs.keys()
        assert all(_is_within(node, drawing) for node in drawing.nodes)
        assert not any(_overlap(one, other) for one, other in combinations(drawing.nodes, 2))


@given(needs=_acyclic())
def test_a_table_stands_to_the_right_of_those_it_needs(needs: dict[str, list[str]]) -> None:
    drawing = draw_wide(needs)
    places = {node.name: node.x for node in drawing.nodes}

    assert all(places[edge.need] < places[edge.name] for edge in drawing.edges)


def _is_within(node: Node, drawing: Drawing) -> bool:
    return (
        node.x >= 0
        and node.y >= 0
        and node.x + node.width <= drawing.width
        and node.y + node.height <= drawing.height
    )


def _overlap(one: Node, other: Node) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
