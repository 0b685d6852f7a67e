"""Keys for what is confidential: the file they come from, and what is done with them."""

import base64
import stat

import pytest

from app.credentials.encryption_keys import KeyFileError, ensure_keys, read_keys
from app.store.sealing import NO_KEYS, PLAIN, Keyring, UnreadableError, read_each_other

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
BODY = b'{"apiVersion":"v1","kind":"Secret"}'
OBJECT = ("secrets", "6f1b2a52-0000-4000-8000-000000000001")


def text(key):
    return base64.b64encode(key).decode()


def test_keys_are_lines(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"# ours\n\n{text(NEW)}\n  {text(OLD)}  \n")
    assert read_keys(path) == (NEW, OLD)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no key; make one with: openssl rand -base64 32"),
        ("# only a remark\n", "holds no key"),
        ("hunter2\n", "line 1 is no base64"),
        (f"{text(OLD)}\n{text(OLD[:16])}\n", "line 2 has 16 bytes, and a key has 32"),
        (f"{text(OLD)}\n{text(OLD)}\n", "holds the same key twice"),
        (b"\xff", "it is not UTF-8 text"),
        (None, "No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_not_shown(tmp_path, content, problem):
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(KeyFileError, match=problem) as refused:
        read_keys(path)
    assert "hunter2" not in str(refused.value)
    assert text(OLD) not in str(refused.value)


def test_a_file_is_made_once_and_for_its_owner(tmp_path):
    path = tmp_path / "keys"
    ensure_keys(path)
    made = read_keys(path)
    assert (len(made), stat.S_IMODE(path.stat().st_mode)) == (1, 0o600)
    ensure_keys(path)
    assert read_keys(path) == made
    assert list(tmp_path.iterdir()) == [path]
    ensure_keys(tmp_path / "other")
    assert read_keys(tmp_path / "other") != made


def test_what_is_sealed_shows_nothing_and_is_different_each_time():
    keyring = Keyring([OLD])
    sealed = [keyring.seal(BODY, *OBJECT) for _ in range(2)]
    assert sealed[0] != sealed[1]
    for each in sealed:
        assert each.startswith(keyring.mark)
        assert each[0] != PLAIN
        assert b"Secret" not in each
        assert keyring.open(each, *OBJECT) == BODY


def test_the_first_key_seals_and_all_open():
    old, both, new = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
    assert both.fingerprints == new.fingerprints + old.fingerprints
    assert both.open(old.seal(BODY, *OBJECT), *OBJECT) == BODY
    assert new.open(both.seal(BODY, *OBJECT), *OBJECT) == BODY
    with pytest.raises(UnreadableError, match=f"encrypted with key {old.fingerprints[0]}"):
        new.open(old.seal(BODY, *OBJECT), *OBJECT)


def test_without_keys_nothing_is_sealed():
    assert NO_KEYS.seal(BODY, *OBJECT) == BODY
    assert Keyring([OLD]).open(BODY, *OBJECT) == BODY
    with pytest.raises(UnreadableError):
        NO_KEYS.open(Keyring([OLD]).seal(BODY, *OBJECT), *OBJECT)


@pytest.mark.parametrize("place", [10, 25, -1])
def test_what_was_changed_cannot_be_read(place):
    keyring = Keyring([OLD])
    sealed = bytearray(keyring.seal(BODY, *OBJECT))
    sealed[place] ^= 1
    with pytest.raises(UnreadableError, match="was changed in the database"):
        keyring.open(bytes(sealed), *OBJECT)


def test_a_body_is_of_one_object():
    keyring = Keyring([OLD])
    sealed = keyring.seal(BODY, *OBJECT)
    for other in (("secrets", "6f1b2a52-0000-4000-8000-000000000002"), ("configmaps", OBJECT[1])):
        with pytest.raises(UnreadableError, match="another object's body"):
            keyring.open(sealed, *other)


@pytest.mark.parametrize(
    ("one", "other", "can"),
    [
        ("a", "a", True),
        ("none", "none", True),
        ("a", "none", False),
        ("a,b", "a", True),
        ("b,a", "a,b", True),
        ("b,a", "a", False),
        ("b", "b,a", True),
        ("b", "a,b", False),
        ("c,b", "a,b", False),
    ],
)
def test_who_can_work_together(one, other, can):
    assert read_each_other(one, other) is can
    assert read_each_other(other, one) is can


def test_keys_are_told_apart_by_fingerprints_alone():
    keyring = Keyring([OLD, NEW])
    assert str(keyring) == ",".join(keyring.fingerprints)
    assert str(NO_KEYS) == "none"
    for key in (OLD, NEW):
        assert key.hex() not in repr(vars(keyring))
