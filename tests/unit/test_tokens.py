import pytest

from app.credentials.tokens import Token, TokenFileError, TokenUsers, read_tokens
from app.domain.user import User
from app.settings.serve import ServeSettings


def write(tmp_path, text):
    path = tmp_path / "tokens.csv"
    path.write_text(text)
    return path


def test_lines_in_order_with_and_without_groups(tmp_path):
    path = write(tmp_path, 'abc123,admin,1,"system:masters,dev"\n\nx-y_z.~+/==,bob,2\nc,carol,,one\n')
    assert read_tokens(path) == (
        Token("abc123", User("admin", "1", ("system:masters", "dev"))),
        Token("x-y_z.~+/==", User("bob", "2")),
        Token("c", User("carol", "", ("one",))),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no token"),
        ("\n\n", "holds no token"),
        ("hidden\n", "line 1 has 1 columns"),
        ("hidden,admin\n", "line 1 has 2 columns"),
        ("a,b,c\nhidden,admin,1,x,y\n", "line 2 has 5 columns"),
        (",admin,1\n", "line 1: a token has letters"),
        ("hidden hidden,admin,1\n", "line 1: a token has letters"),
        ("hiddené,admin,1\n", "line 1: a token has letters"),
        ("hidden,,1\n", "line 1: the user name, its second column, is empty"),
        ('hidden,admin,1,"a,b\n', "line 1: unexpected end of data"),
        ("hidden,admin,1\nhidden,bob,2\n", "holds the same token twice"),
    ],
)
def test_a_malformed_file_is_refused_without_showing_a_token(tmp_path, text, said):
    with pytest.raises(TokenFileError) as refused:
        read_tokens(write(tmp_path, text))
    assert said in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "tokens.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TokenFileError, match="not UTF-8"):
        read_tokens(path)


def test_a_token_shows_itself_nowhere(tmp_path):
    settings = ServeSettings(token_file=write(tmp_path, "very-secret,admin,1\n"), host="0.0.0.0")  # noqa: S104
    assert settings.tokens[0].secret == "very-secret"
    assert "very-secret" not in repr(settings) + repr(settings.tokens)


def test_users_are_found_by_their_tokens_until_others_replace_them():
    ann, bob = User("ann", "1", ("dev",)), User("bob", groups=("system:authenticated",))
    users = TokenUsers([Token("first", ann), Token("second", bob)])
    assert users.find(b"first") == User("ann", "1", ("dev", "system:authenticated"))
    assert users.find(b"second") == bob
    assert users.find(b"third") is users.find(b"") is None
    users.replace([Token("third", bob)])
    assert users.find(b"third") == bob
    assert users.find(b"first") is None
    assert "third" not in repr(vars(users))
