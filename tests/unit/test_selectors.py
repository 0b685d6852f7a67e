import pytest

from app.domain.errors import BadRequest
from app.domain.selectors import MAX_TERMS, parse_field_selector, parse_label_selector

LABELS = {"app": "web", "tier": "", "n": "5", "example.com/x": "a-b_c.d"}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", True),
        (" ", True),
        ("app", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web", True),
        ("app=db", False),
        ("app!=web", False),
        ("app!=db", True),
        ("none!=db", True),
        ("none", False),
        ("!none", True),
        ("! none", True),
        ("!app", False),
        ("app in (web)", True),
        ("app in (db, web)", True),
        ("app in(db)", False),
        ("none in (db)", False),
        ("app notin (db)", True),
        ("app notin (web,db)", False),
        ("none notin (web)", True),
        ("tier=", True),
        ("tier in ()", True),
        ("tier in (,a)", True),
        ("tier in (a,)", True),
        ("app in (a,,web)", True),
        ("tier=,app=web", True),
        ("n>4", True),
        ("n > 5", False),
        ("n<6", True),
        ("app>4", False),
        ("none<4", False),
        ("app=web,tier,!none,n>1", True),
        ("app=web,tier,none", False),
        ("example.com/x=a-b_c.d", True),
        ("in in (in)", False),
        ("notin", False),
        ("app=in", False),
    ],
)
def test_label_selectors_select(selector, selected):
    assert parse_label_selector(selector).matches(LABELS) is selected


@pytest.mark.parametrize(
    "selector",
    [",", "app,", ",app", "app,,n", "app web", "app=web db", "app=web=x", "app=(", "!", "!!app", "!app=web", "=web",
     "app in web", "app in (web", "app in (web db)", "app in (a=b)", "app in", "app notin)", "app>x", "n>", "n>1.5",
     "-a", "a/b/c", "/a", "a/", "A.com/x", "a" * 64, "app=-x", "app=" + "a" * 64, "app=a b", "app=é", "app===web",
     "app=!web", "()", "a" * 254 + "/x"],
)  # fmt: skip
def test_malformed_label_selectors_are_bad_requests(selector):
    with pytest.raises(BadRequest) as error:
        parse_label_selector(selector)
    assert selector in error.value.message


def read(label):
    return {"metadata.name": "web", "metadata.namespace": "default", "spec.clusterIP": "None", "x": "a,b=c\\"}[label]


ALLOWED = ("metadata.name", "metadata.namespace", "spec.clusterIP", "x")


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", True),
        (",", True),
        ("metadata.name=web", True),
        ("metadata.name==web,", True),
        ("metadata.name!=web", False),
        ("spec.clusterIP!=None", False),
        ("metadata.name=web,metadata.namespace=default", True),
        ("metadata.name=web,metadata.namespace!=default", False),
        ("metadata.name=", False),
        (r"x=a\,b\=c\\", True),
    ],
)
def test_field_selectors_select(selector, selected):
    assert parse_field_selector(selector, ALLOWED).matches(read) is selected


@pytest.mark.parametrize(
    "selector",
    ["metadata.name", "metadata.name>web", "spec.bogus=1", "=x", "metadata.name=a=b", r"metadata.name=a\b",
     "metadata.name=a\\", "metadata.name = web", "metadata.name in (a)"],
)  # fmt: skip
def test_malformed_field_selectors_are_bad_requests(selector):
    with pytest.raises(BadRequest):
        parse_field_selector(selector, ALLOWED)


def test_an_unsupported_field_label_is_named_with_what_could_be():
    with pytest.raises(BadRequest, match=r'"spec.bogus".*metadata.name'):
        parse_field_selector("spec.bogus=1", ALLOWED)


def test_the_number_of_terms_is_limited():
    assert parse_label_selector(",".join(["!x"] * MAX_TERMS)).matches(LABELS)
    assert parse_field_selector(",".join(["a!=b"] * MAX_TERMS), ("a",)).matches(lambda _: "c")
    for parse in (parse_label_selector, lambda text: parse_field_selector(text, ("a",))):
        with pytest.raises(BadRequest, match="terms"):
            parse(",".join(["a!=b"] * (MAX_TERMS + 1)))


def test_a_set_of_values_is_one_term():
    values = ",".join(f"v{index}" for index in range(5_000))
    assert parse_label_selector(f"app notin ({values})").matches(LABELS)


def test_a_long_selector_is_shortened_in_messages():
    for parse in (parse_label_selector, lambda text: parse_field_selector(text, ("a",))):
        with pytest.raises(BadRequest) as error:
            parse("a" * 10_000 + "=((" * 10_000)
        assert len(error.value.message) < 2_000
