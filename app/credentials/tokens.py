"""Static bearer tokens in the format of kube-apiserver's --token-auth-file."""

import csv
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from app.credentials.secret_files import read_lines
from app.domain.user import User

_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # b64token, RFC 6750 section 2.1
_COLUMNS_WITHOUT_GROUPS = 3


class TokenFileError(ValueError):
    """The token file cannot be used. The message names the line and never a token."""


@dataclass(frozen=True, slots=True)
class Token:
    """One line of a token file: a secret and the user who has it."""

    secret: str = field(repr=False)
    user: User


class TokenUsers:
    """The users by their tokens. Only digests of tokens are kept.

    The digests have a random key, so the time of a look-up tells a client nothing about a token.
    """

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._key = secrets.token_bytes(32)
        self._users: dict[bytes, User] = {}
        self.replace(tokens)

    def __len__(self) -> int:
        return len(self._users)

    def replace(self, tokens: Iterable[Token]) -> None:
        """Use these tokens from now on, and no others."""
        self._users = {self._digest(token.secret.encode()): token.user.authenticated() for token in tokens}

    def find(self, secret: bytes) -> User | None:
        """The user of a token, None if nobody has it."""
        return self._users.get(self._digest(secret))

    def _digest(self, secret: bytes) -> bytes:
        return blake2b(secret, key=self._key, digest_size=32).digest()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens of a file with one `token,user,uid` or `token,user,uid,"group1,group2"` a line, in its order.

    Empty lines are skipped.

    Raises:
        TokenFileError: The file cannot be read, or can be changed by others than its owner; a line is malformed, a
            token occurs twice, or there is none.
    """
    try:
        lines = read_lines(path)
    except ValueError as error:
        raise TokenFileError(str(error)) from error
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
    return Token(secret, User(user, uid, tuple(group for group in ",".join(groups).split(",") if group)))
