"""The file of a backup: what went in comes out, and nothing else."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backups.archive import CHUNK_BYTES, read_archive, write_archive
from app.backups.errors import BackupError
from app.backups.programs import without_password

KEY, OTHER = bytes(32), bytes(range(32))
BOUNDARIES = sorted({0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES})


@pytest.mark.parametrize("size", BOUNDARIES)
@pytest.mark.parametrize("key", [None, KEY])
def test_what_went_in_comes_out(tmp_path, size, key):
    content = b"PGDMP" + secrets.token_bytes(size)
    path = tmp_path / "backup"
    written = write_archive(path, [content[:7], content[7:]], key)
    assert written == path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"".join(read_archive(path, [OTHER, KEY])) == content
    assert (content in path.read_bytes()) == (key is None)
    assert [*tmp_path.iterdir()] == [path]


@given(pieces=st.lists(st.binary(max_size=200_000), max_size=5), damage=st.data())
def test_no_byte_can_be_changed_or_cut_off(tmp_path_factory, pieces, damage):
    path = tmp_path_factory.mktemp("archive") / "backup"
    write_archive(path, pieces, KEY)
    whole = path.read_bytes()
    at = damage.draw(st.integers(0, len(whole) - 1))
    for broken in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], whole + b"x"):
        path.write_bytes(broken)
        with pytest.raises(BackupError):
            b"".join(read_archive(path, [KEY]))


def test_chunks_cannot_change_places(tmp_path):
    path = tmp_path / "backup"
    write_archive(path, [bytes(3 * CHUNK_BYTES)], KEY)
    whole = path.read_bytes()
    sealed = CHUNK_BYTES + 16
    head = len(whole) - 3 * sealed
    one, two, three = (whole[head + at * sealed : head + (at + 1) * sealed] for at in range(3))
    for order in ((two, one, three), (one, three), (one, two), (one, one, three), (one, two, three, three)):
        path.write_bytes(whole[:head] + b"".join(order))
        with pytest.raises(BackupError, match="cut off, or was changed"):
            b"".join(read_archive(path, [KEY]))


def test_the_key_that_is_missing_is_named_and_nothing_is_overwritten(tmp_path):
    path = tmp_path / "backup"
    write_archive(path, [b"PGDMP"], KEY)
    with pytest.raises(BackupError, match=r"is encrypted with key [0-9a-f]{16}, which --backup-key-file lacks"):
        b"".join(read_archive(path, [OTHER]))
    with pytest.raises(BackupError, match="is there already"):
        write_archive(path, [b"PGDMP"], KEY)
    with pytest.raises(BackupError, match="cannot be read: No such file"):
        b"".join(read_archive(tmp_path / "other", [KEY]))
    path.write_bytes(b"something else")
    with pytest.raises(BackupError, match="is no backup of Fairlead"):
        b"".join(read_archive(path, [KEY]))


def test_a_dump_that_fails_leaves_no_file(tmp_path):
    def pieces():
        yield b"PGDMP"
        raise BackupError("pg_dump failed")

    with pytest.raises(BackupError, match="pg_dump failed"):
        write_archive(tmp_path / "backup", pieces(), KEY)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me:p%40w@a,b:1/d?sslmode=require", ("postgresql://me@a,b:1/d?sslmode=require", "p@w")),
        ("postgresql://me@/d?host=%2Frun%2Fa&password=x%20y", ("postgresql://me@/d?host=%2Frun%2Fa", "x y")),
        ("postgresql://me@db/d", ("postgresql://me@db/d", None)),
    ],
)
def test_no_password_is_on_a_command_line(url, expected):
    assert without_password(url) == expected
