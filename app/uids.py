"""The uids that new objects get."""

import secrets
import time

_MILLISECOND = 1_000_000
_RANDOM_BITS = 62


def new_uid() -> str:
    """A new uid: a UUID of version 7 (RFC 9562, 5.7), so that uids are ordered as objects were created.

    48 bits are the milliseconds, and 12 bits the fraction of one (6.2, method 3). The order holds within a process, and
    between processes as far as their clocks agree.
    """
    milliseconds, rest = divmod(time.time_ns(), _MILLISECOND)
    fraction = (rest << 12) // _MILLISECOND
    version, variant = 0x7, 0b10
    number = milliseconds << 80 | version << 76 | fraction << 64 | variant << 62 | secrets.randbits(_RANDOM_BITS)
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
