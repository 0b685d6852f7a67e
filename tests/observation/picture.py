"""Draw the dashboard from a real run, for the documents.

    python -m tests.observation.picture docs/dashboard.png [--seconds 180]

Each panel is the answer of a Prometheus to the panel's queries. A Grafana draws the same queries with its own looks.
"""

import argparse
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib import dates
from matplotlib.ticker import FuncFormatter

from tests.observation.activity import busy
from tests.observation.dashboard import expression, legend, panels

_COLUMNS = 3
_MOST_NAMED = 6
_RUN_UP_SECONDS = 20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, default=180, help="how long the product works")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, busy(Path(directory)) as found:
        found.set_up()
        began = time.time()
        work(found, options.seconds)
        draw(found.prometheus, began + _RUN_UP_SECONDS, time.time(), options.file)


def work(found, seconds):
    """More and less of everything; one Envoy dies in the middle, and comes back."""
    until, number, killed = time.monotonic() + seconds, 0, False
    while (left := until - time.monotonic()) > 0:
        found.work(number)
        number += 1
        if not killed and left < seconds / 2:
            found.serving.child("envoy").kill()
            killed = True
        time.sleep(random.uniform(0, 0.15) * (1 + number // 60 % 3))


def draw(prometheus, start, end, file):
    rows = [(title, group[at : at + _COLUMNS]) for title, group in panels() for at in range(0, len(group), _COLUMNS)]
    figure, axes = plt.subplots(len(rows), _COLUMNS, figsize=(16, 2.3 * len(rows)), layout="constrained", squeeze=False)
    for line, (title, group) in zip(axes, rows, strict=True):
        line[0].set_ylabel(title, fontsize=10, fontweight="bold")
        for place in line[len(group) :]:
            place.set_axis_off()
        for place, panel in zip(line, group, strict=False):
            draw_panel(place, panel, prometheus, start, end)
    figure.savefig(file, dpi=80)


def draw_panel(place, panel, prometheus, start, end):
    place.set_title(panel["title"], fontsize=9, loc="left")
    for target in panel["targets"]:
        for labels, values in prometheus.query_range(expression(target), start, end, 2):
            moments = [datetime.fromtimestamp(when, UTC) for when, _ in values]
            name = legend(target, labels) if len(place.lines) < _MOST_NAMED else "_"
            place.plot(moments, [value for _, value in values], linewidth=1.1, label=name)
    place.set_ylim(bottom=0)
    place.set_xlim(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
    place.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S"))
    place.xaxis.set_major_locator(plt.MaxNLocator(4))
    place.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: shown(value, panel["fieldConfig"]["defaults"]["unit"]))
    )
    place.tick_params(labelsize=6)
    place.grid(alpha=0.3)
    if place.lines:
        place.legend(fontsize=5.5, loc="best", ncols=2, framealpha=0.6)
    else:
        place.text(0.5, 0.5, "nothing counted", transform=place.transAxes, ha="center", fontsize=8, alpha=0.6)


def shown(value, unit):
    """A value with its unit, as short as may be."""
    if unit == "s":
        steps = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "us"))
        size, name = next((step for step in steps if abs(value) >= step[0]), (1, "s"))
        return f"{value / size:.3g} {name}"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if unit == "percentunit":
        return f"{value:.0%}"
    return f"{value:g}{'/s' if unit in ('reqps', 'ops') else ''}"


if __name__ == "__main__":
    main()
