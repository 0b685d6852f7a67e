"""Results: rows of one table, as text, as JSON and as a picture."""

import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


@dataclass
class Row:
    """One measurement.

    Attributes:
        work: What was done.
        clients: By how many at once; watchers for a fan-out.
        rate: How many a second.
        p50: Milliseconds, the median.
        p99: Milliseconds.
        failed: Answers that were no success, connections lost, and events that did not come.
        cpu: Microseconds of CPU that all processes of the server spent on each.
        memory: MB of all processes of the server afterwards, shared pages counted once.
        note: Anything else.
    """

    work: str
    clients: int
    rate: float
    p50: float | None = None
    p99: float | None = None
    failed: int = 0
    cpu: float | None = None
    memory: float | None = None
    note: str = ""


_HEAD = ("work", "clients", "rate/s", "p50 ms", "p99 ms", "failed", "CPU us", "MB", "")


def line(row: Row) -> str:
    """A row of the table, as wide as every other."""
    cells = (row.work, str(row.clients), _number(row.rate), _number(row.p50), _number(row.p99), str(row.failed or ""),
             _number(row.cpu), _number(row.memory), row.note)  # fmt: skip
    return _aligned(cells)


def head() -> str:
    """The head of the table."""
    return f"{_aligned(_HEAD)}\n{'-' * 104}"


def _aligned(cells: tuple[str, ...]) -> str:
    first, *rest, note = cells
    return f"{first:<34}" + "".join(f"{cell:>9}" for cell in rest) + f"  {note}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def write(rows: list[Row], yardsticks: dict[str, float], options: dict, place) -> None:
    """Write `bench.json`, `bench.txt` and `bench.png` into a directory."""
    place.mkdir(parents=True, exist_ok=True)
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": platform.platform(),
        "options": options,
        "yardsticks": yardsticks,
        "rows": [asdict(row) for row in rows],
    }
    (place / "bench.json").write_text(json.dumps(told, indent=1))
    lines = [f"{name}: {value:,.0f}" for name, value in yardsticks.items()]
    (place / "bench.txt").write_text("\n".join([*lines, "", head(), *map(line, rows)]) + "\n")
    _draw(rows, place / "bench.png")


def _draw(rows: list[Row], path) -> None:
    """Latency over load: the more clients, the further to the right."""
    figure, axes = plt.subplots(figsize=(9, 6))
    for work in dict.fromkeys(row.work for row in rows if row.work.startswith("POST ")):
        points = [row for row in rows if row.work == work and row.p99]
        rates = [row.rate for row in points]
        drawn = axes.plot(rates, [row.p50 for row in points], marker="o", label=f"{work}, median")
        axes.plot(rates, [row.p99 for row in points], marker="o", linestyle="--", color=drawn[0].get_color(),
                  label=f"{work}, p99")  # fmt: skip
        for row in points:
            axes.annotate(str(row.clients), (row.rate, row.p50), xytext=(4, 4), textcoords="offset points", fontsize=8)
    axes.set(xlabel="allocated Services a second (numbers: clients)", ylabel="milliseconds", yscale="log")
    axes.grid(visible=True, which="both", alpha=0.3)
    if axes.has_data():
        axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
