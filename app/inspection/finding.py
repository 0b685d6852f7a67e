"""What was found about one thing."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `fairlead doctor`.

    Attributes:
        level: `problem` for what keeps the server from working, `warning` for what may.
        subject: What it is about, in a word or two.
        message: What was found.
        advice: What to do, "" where nothing needs to be done.
    """

    level: Literal["ok", "warning", "problem"]
    subject: str
    message: str
    advice: str = ""
