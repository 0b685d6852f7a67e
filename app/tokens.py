"""Static bearer tokens in the format of kube-apiserver's --token-auth-file."""

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # b64token, RFC 6750 section 2.1
_COLUMNS_WITHOUT_GROUPS = 3


class TokenFileError(ValueError):
    """A token file that cannot be used; the message names the line and never a token."""


@dataclass(frozen=True, slots=True)
class Token:
    """One line of a token file: a secret and the user it stands for."""

    secret: str = field(repr=False)
    user: str
    uid: str
    groups: tuple[str, ...] = ()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens of a file with one `token,user,uid` or `token,user,uid,"group1,group2"` a line, in its order.

    Empty lines are passed over.

    Raises:
        TokenFileError: The file cannot be read, a line is malformed, a token occurs twice, or there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise TokenFileError(f"{path} cannot be read: {reason}") from error
    tokens = [_token(f"{path} line {number}", line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not tokens:
        raise TokenFileError(f'{path} holds no token; a line is: token,user,uid,"group1,group2"')
    if len({token.secret for token in tokens}) < len(tokens):
        raise TokenFileError(f"{path} holds the same token twice; each stands for one user")
    return tuple(tokens)


def _token(where: str, line: str) -> Token:
    try:
        columns = next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise TokenFileError(f"{where}: {error}; groups go in one pair of double quotes") from error
    if len(columns) not in {_COLUMNS_WITHOUT_GROUPS, _COLUMNS_WITHOUT_GROUPS + 1}:
        raise TokenFileError(f'{where} has {len(columns)} columns; a line is: token,user,uid,"group1,group2"')
    secret, user, uid, *groups = columns
    if not _BEARER.fullmatch(secret):
        raise TokenFileError(f"{where}: a token has letters, digits and -._~+/ only (= at its end), and is not empty")
    if not user:
        raise TokenFileError(f"{where}: the user name, its second column, is empty")
    return Token(secret, user, uid, tuple(group for group in ",".join(groups).split(",") if group))
