"""Pictures are well-formed, and texts of users cannot break out of them."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from app.console.diagrams import Box, bar, path, plot

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)
BOXES = st.lists(st.builds(Box, TEXTS, TEXTS, st.sampled_from(["good", "bad", "waiting", "plain"])), max_size=30)


@given(st.lists(st.tuples(TEXTS, BOXES), max_size=5))
def test_a_path_is_well_formed_and_bounded(columns):
    root = ET.fromstring(path(columns))  # noqa: S314 - it is our own
    boxes = [each for each in root.iter() if each.tag.endswith("rect")]
    assert len(boxes) == sum(min(len(each), 12) for _, each in columns)


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_a_bar_stays_within_its_width(used, size):
    root = ET.fromstring(bar(used, size))  # noqa: S314 - it is our own
    whole, part = (each for each in root.iter() if each.tag.endswith("rect"))
    assert float(part.get("width")) <= float(whole.get("width"))


@given(st.lists(st.tuples(st.floats(-365, 0), st.integers(0, 10**30)), max_size=5).map(sorted), st.integers(0, 10**30))
def test_a_plot_is_well_formed_and_stays_within_its_picture(points, size):
    picture = plot(points, size)
    assert bool(picture) is bool(points)
    if picture:
        root = ET.fromstring(picture)  # noqa: S314 - it is our own
        dots = [each for each in root.iter() if each.tag.endswith("circle")]
        assert len(dots) == len(points)
        assert all(0 <= float(each.get("cx")) <= float(root.get("width")) for each in dots)
        assert all(0 <= float(each.get("cy")) <= float(root.get("height")) for each in dots)
