"""One chart, drawn twice."""

import math

import pytest

from pilotlight.report.chart import Axis, Chart, Region, Rule, Series
from pilotlight.report.plotly_chart import figure
from pilotlight.report.png_chart import picture


def chart(low: float, high: float, **more) -> Chart:
    series = Series("a $x$", (low, high), (1.0, 2.0), (0.9, 1.9), (1.1, 2.1), "both")
    return Chart("name", "Title", "Caption", Axis("x", log=True), Axis("y"), (series,), **more)


@pytest.mark.parametrize("span", [(1.62, 1.66), (1.4, 2.1), (3e12, 2e15), (1e-3, 1e9), (5.0, 5.0)])
def test_a_logarithmic_axis_has_a_few_round_ticks_within_the_data(span):
    ticks = chart(*span).log_ticks("x")
    assert 1 <= len(ticks) <= 14
    assert len({text for _, text in ticks}) == len(ticks)
    assert all(span[0] * 0.9 <= at <= span[1] * 1.1 for at, _ in ticks)


def test_both_drawings_show_every_series_and_interval():
    found = figure(chart(1e3, 1e6, rules=(Rule("y", 1.5, "target"),), regions=(Region("y", 0.5, 0.7, "worth"),)))
    trace = found["data"][0]
    assert trace["x"] == [1e3, 1e6]
    assert trace["error_y"]["array"] == pytest.approx([0.1, 0.1])
    assert [shape["type"] for shape in found["layout"]["shapes"]] == ["rect", "line"]
    assert {note["text"] for note in found["layout"]["annotations"]} == {"worth", "target"}
    assert picture(chart(1e3, 1e6)).startswith(b"\x89PNG")


def test_intervals_of_a_sideways_series_lie_along_x():
    series = Series("a", (0.1,), (0.0,), (0.05,), (0.2,), sideways=True)
    found = figure(Chart("n", "T", "", Axis("x", percent=True), Axis("", names=("<b>",)), (series,)))
    assert math.isclose(found["data"][0]["error_x"]["array"][0], 0.1)
    assert found["layout"]["yaxis"]["ticktext"] == ["&lt;b&gt;"]


def test_a_target_far_from_the_runs_is_in_view():
    series = Series("a", (1e3, 1e6), (2.0, 1.8))
    far = Chart("n", "T", "", Axis("x", log=True), Axis("y", log=True), (series,), rules=(Rule("y", 1.0, "target"),))
    low, high = figure(far)["layout"]["yaxis"]["range"]
    assert low < 0.0 < math.log10(2.0) < high
