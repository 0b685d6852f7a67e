"""Which of the numbers 0..size-1 are held, as a sparse hierarchical bitmap.

Finding a free number costs the same however large and full the range is: words of 1024 bits, above them a bitmap
of the full words, and so on up to a single word. Only words with a bit set are kept.
"""

_SHIFT = 10
_WORD = 1 << _SHIFT
_MASK = _WORD - 1
_FULL = (1 << _WORD) - 1


class Bitmap:
    """Which of the numbers 0..size-1 are held."""

    __slots__ = ("_levels", "held", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.held = 0
        levels = 1
        while _WORD**levels < size:
            levels += 1
        self._levels: tuple[dict[int, int], ...] = tuple({} for _ in range(levels))

    def holds(self, index: int) -> bool:
        """Whether a number is held; False outside the range."""
        return bool(self._levels[0].get(index >> _SHIFT, 0) >> (index & _MASK) & 1)

    def hold(self, index: int) -> bool:
        """Hold a number; False when it is held already.

        Raises:
            ValueError: The number is outside the range.
        """
        if not 0 <= index < self.size:
            raise ValueError(f"{index} is not in 0..{self.size - 1}")
        if self.holds(index):
            return False
        for words in self._levels:
            parent = index >> _SHIFT
            word = words.get(parent, 0) | 1 << (index & _MASK)
            words[parent] = word
            if word != _FULL:
                break
            index = parent
        self.held += 1
        return True

    def free(self, index: int) -> bool:
        """Let go of a number; False when it was not held."""
        if not self.holds(index):
            return False
        for words in self._levels:
            parent = index >> _SHIFT
            word = words[parent]
            rest = word & ~(1 << (index & _MASK))
            if rest:
                words[parent] = rest
            else:
                del words[parent]
            if word != _FULL:
                break
            index = parent
        self.held -= 1
        return True

    def count(self, first: int, last: int) -> int:
        """How many of the numbers from `first` to `last` are held: as many steps as there are words with any."""
        if last < first:
            return 0
        words, low, high = self._levels[0], first >> _SHIFT, last >> _SHIFT
        inside = range(low, high + 1) if high - low < len(words) else words
        found = sum(words.get(word, 0).bit_count() for word in inside if low < word < high)
        below, above = _FULL << (first & _MASK), _FULL >> (_MASK - (last & _MASK))
        if low == high:
            return found + (words.get(low, 0) & below & above).bit_count()
        return found + (words.get(low, 0) & below).bit_count() + (words.get(high, 0) & above).bit_count()

    def first_free(self, start: int) -> int | None:
        """The lowest number from `start` on that is not held, or None."""
        level, index = 0, start
        while True:
            room = ~self._levels[level].get(index >> _SHIFT, 0) & _FULL
            room &= -1 << (index & _MASK)
            if room:
                index = index >> _SHIFT << _SHIFT | _lowest(room)
                break
            level, index = level + 1, (index >> _SHIFT) + 1
            if level == len(self._levels):
                return None
        while level:
            level -= 1
            index = index << _SHIFT | _lowest(~self._levels[level].get(index, 0) & _FULL)
        return index if index < self.size else None


def _lowest(word: int) -> int:
    return (word & -word).bit_length() - 1
