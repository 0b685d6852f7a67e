"""Two servers compared: every workload runs on both in turn, so that what disturbs the machine disturbs both."""

from dataclasses import dataclass
from statistics import median

from tests.bench.workloads import Bench

_HEAD = ("work", "clients", "rate/s", "against", "ratio", "p50 ms", "against", "p99 ms", "against", "CPU us", "against")


@dataclass
class Comparison:
    """The rows of one workload on one server and on the other.

    Attributes:
        ours: Of the server that is measured.
        theirs: Of the one that it is measured against.
    """

    ours: list
    theirs: list

    def line(self) -> str:
        """Medians of all rounds, and the ratio of the rates."""
        first = self.ours[0]
        cells = [str(first.clients)]
        ours, theirs = self._medians("rate")
        cells += [_number(ours), _number(theirs), f"{ours / theirs:.2f}" if theirs else ""]
        for figure in ("p50", "p99", "cpu"):
            cells += map(_number, self._medians(figure))
        failed = sum(row.failed for row in (*self.ours, *self.theirs))
        return _aligned((first.work, *cells)) + (f"  {failed} failed" if failed else "")

    def _medians(self, figure):
        for rows in (self.ours, self.theirs):
            values = [getattr(row, figure) for row in rows if getattr(row, figure) is not None]
            yield median(values) if values else None


def head() -> str:
    """The head of the table."""
    return f"{_aligned(_HEAD)}\n{'-' * 132}"


async def compare(ours: Bench, theirs: Bench, rounds: int, steps, tell) -> None:
    """Run steps on both servers, each step several times in turn.

    Args:
        ours: The server that is measured.
        theirs: The one that it is measured against.
        rounds: How often each step runs on each.
        steps: Each is called with a `Bench` and measures one or several rows.
        tell: Called with each line of the table.
    """
    for step in steps:
        comparisons: dict[tuple[str, int], Comparison] = {}
        for turn in range(rounds):
            # Who comes first alternates: the second one finds the machine warm.
            for bench in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
                known = len(bench.rows)
                await step(bench)
                for row in bench.rows[known:]:
                    pair = comparisons.setdefault((row.work, row.clients), Comparison([], []))
                    (pair.ours if bench is ours else pair.theirs).append(row)
        for pair in comparisons.values():
            tell(pair.line())


def _aligned(cells) -> str:
    first, *rest = cells
    return f"{first:<28}" + "".join(f"{cell:>10}" for cell in rest)


def _number(value) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
