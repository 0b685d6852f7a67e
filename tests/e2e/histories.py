"""Whether what clients saw of one object can be told as one order of operations, each at a moment of its own time.

This is linearizability (Herlihy and Wing, 1990), checked as Wing and Gong do, with Lowe's memory of states that were
tried in vain (Testing for linearizability, 2017). An object is absent, or present with the mark of its last write.
"""

import math
from dataclasses import dataclass

ABSENT = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One request, and how it was answered.

    Attributes:
        verb: `create`, `replace`, `delete` or `read`.
        begin: When it was sent.
        end: When it was answered; infinite if it was not.
        answer: `done`, `exists`, `absent`, `conflict`; `unknown` for a write that may happen later, or never.
        mark: What a write writes, or a read showed.
        expected: The mark that a replacement rests on.
    """

    verb: str
    begin: float
    end: float
    answer: str
    mark: str | None = None
    expected: str | None = None

    def apply(self, state):
        """The states that may follow, none if this cannot have been answered so."""
        effect = self._effect(state)
        if self.answer == "unknown":
            return {state} if effect is None else {state, effect[1]}
        if self.answer == "conflict":
            # The revision that it rests on is another one, or of an object that is gone. It may be another one with the
            # same mark: of an object that was answered pending, the allocation comes later.
            return {state}
        return {effect[1]} if effect is not None and effect[0] == self.answer else set()

    def _effect(self, state):
        """The answer in this state, and the state afterwards; None for a replacement that rests on another one."""
        if self.verb == "read":
            shown = "absent" if self.mark is None else "done"
            return (shown, state) if state == self.mark else None
        if self.verb == "create":
            return ("done", self.mark) if state is ABSENT else ("exists", state)
        if state is ABSENT:
            return "absent", ABSENT
        if self.verb == "delete":
            return "done", ABSENT
        return ("done", self.mark) if state == self.expected else None


def is_linearizable(operations):
    """Whether there is an order in which each operation was answered rightly, beginning with an absent object."""
    operations = sorted(operations, key=lambda operation: operation.begin)
    everything = (1 << len(operations)) - 1
    certain = sum(1 << at for at, operation in enumerate(operations) if operation.answer != "unknown")
    tried = set()
    waiting = [(0, ABSENT)]
    while waiting:
        done, state = waiting.pop()
        if done & certain == certain:
            return True
        for at in _next(operations, done, everything):
            for following in operations[at].apply(state):
                step = (done | 1 << at, following)
                if step not in tried:
                    tried.add(step)
                    waiting.append(step)
    return not operations


def _next(operations, done, everything):
    """Those that may come next: no other one that is left had ended before they began."""
    first_end = math.inf
    left = everything & ~done
    found = []
    while left:
        bit = left & -left
        left ^= bit
        at = bit.bit_length() - 1
        operation = operations[at]
        if operation.begin > first_end:
            break
        found.append(at)
        first_end = min(first_end, operation.end)
    return found
