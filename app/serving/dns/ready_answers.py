"""The answers that are ready, by their questions, in bounded memory."""

from collections.abc import Iterable

from app.serving.dns.answer import Answer, ZoneAnswer


class _Generation:
    """The answers of some time, and the places that they follow from."""

    def __init__(self) -> None:
        self.answers: dict[bytes, Answer | ZoneAnswer] = {}
        self.questions: dict[str, list[bytes]] = {}
        self.size = 0

    def put(self, question: bytes, answer: Answer | ZoneAnswer) -> None:
        self.answers[question] = answer
        for place in answer.places:
            self.questions.setdefault(place, []).append(question)
        self.size += answer.size

    def forget(self, place: str) -> None:
        for question in self.questions.pop(place, ()):
            answer = self.answers.pop(question, None)
            if answer is not None:
                self.size -= answer.size


class ReadyAnswers:
    """Answers that were asked for lately.

    When a generation is full, the one before it is forgotten whole. An answer that is asked for meanwhile moves to the
    new one. So nothing has to be kept in order, and a flood of questions that come once does not displace the others.

    Attributes:
        newest: Answers by questions with names in lower case, for a first look; `get` knows more.
    """

    def __init__(self, most_bytes: int) -> None:
        """Start empty; so many bytes are held at most, roughly."""
        self._most_bytes = most_bytes // 2
        self._old, self._new = _Generation(), _Generation()
        self.newest = self._new.answers

    @property
    def size(self) -> int:
        """Bytes of all that is kept, roughly."""
        return self._new.size + self._old.size

    def get(self, question: bytes) -> Answer | ZoneAnswer | None:
        """An answer, None if it is not ready."""
        answer = self.newest.get(question) or self._old.answers.get(question)
        if answer is not None and question not in self.newest:
            self.put(question, answer)
        return answer

    def put(self, question: bytes, answer: Answer | ZoneAnswer) -> None:
        """Keep an answer."""
        if self._new.size > self._most_bytes:
            self._old, self._new = self._new, _Generation()
            self.newest = self._new.answers
        self._new.put(question, answer)

    def forget(self, places: Iterable[str]) -> None:
        """Forget what follows from places that have changed."""
        for place in places:
            self._new.forget(place)
            self._old.forget(place)

    def clear(self) -> None:
        """Forget everything."""
        self._new, self._old = _Generation(), _Generation()
        self.newest = self._new.answers
