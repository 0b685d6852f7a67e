"""The rules of ConfigMap, Secret and ServiceAccount."""

import base64

import pytest
import trustme

from app.domain.declarations.config_map import CONFIG_MAP
from app.domain.declarations.secret import SECRET
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.domain.documents.decoding import Strictness, decode_json, to_document
from app.domain.errors import BadRequest
from app.domain.kinds.config_map import ConfigMap
from app.domain.kinds.secret import Secret
from tests.unit.rule_runner import CLUSTER, cells, create, created, parse, update

MEBIBYTE = 2**20
TLS, BASIC, SSH = "kubernetes.io/tls", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth"
DOCKER, OLD_DOCKER = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"
ACCOUNT_TOKEN = "kubernetes.io/service-account-token"
INVALID, REQUIRED, FORBIDDEN, TOO_LONG = "Invalid", "Required", "Forbidden", "TooLong"


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def secret(type_="", annotations=None, **data):
    document = {"metadata": {"name": "s", "annotations": annotations or {}}}
    document["data"] = {key.replace("_", "."): b64(value) for key, value in data.items()}
    return document | ({"type": type_} if type_ else {})


def config(**fields):
    return {"metadata": {"name": "c"}, **fields}


@pytest.mark.parametrize(
    ("key", "valid"),
    [
        ("a", True),
        ("a.b-c_D", True),
        (".hidden", True),
        ("a..b", True),
        ("x" * 253, True),
        ("", False),
        (".", False),
        ("..", False),
        ("..a", False),
        ("a/b", False),
        ("ü", False),
        ("a b", False),
        ("a\n", False),
        ("x" * 254, False),
    ],
)
def test_keys_are_names_of_files(key, valid):
    for kind, field, value in ((CONFIG_MAP, "data", "v"), (CONFIG_MAP, "binaryData", ""), (SECRET, "data", "")):
        expected = set() if valid else {(f"{field}[{key}]", INVALID)}
        assert create(kind, config(**{field: {key: value}}))[1] == expected


def test_a_key_is_text_or_bytes():
    assert create(CONFIG_MAP, config(data={"a": "x"}, binaryData={"a": ""}))[1] == {("data[a]", INVALID)}
    assert create(CONFIG_MAP, config(data={"a": "x"}, binaryData={"b": ""}))[1] == set()


def test_values_have_a_mebibyte_together():
    whole = config(data={"a": "ü" * (MEBIBYTE // 4)}, binaryData={"b": b64(b"x" * (MEBIBYTE // 2))})
    assert create(CONFIG_MAP, whole)[1] == set()
    whole["data"]["c"] = "x"
    assert create(CONFIG_MAP, whole)[1] == {("", TOO_LONG)}
    assert create(SECRET, secret(a="x" * MEBIBYTE))[1] == set()
    assert create(SECRET, secret(a="x" * MEBIBYTE, b="x"))[1] == {("data", TOO_LONG)}


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        (secret(), set()),
        (secret("example.com/anything"), set()),
        (secret("bootstrap.kubernetes.io/token", token_id="abcdef"), set()),
        (secret(TLS, tls_crt="", tls_key=""), set()),
        (secret(TLS, tls_crt="x"), {("data[tls.key]", REQUIRED)}),
        (secret(TLS), {("data[tls.crt]", REQUIRED), ("data[tls.key]", REQUIRED)}),
        (secret(BASIC, username="u"), set()),
        (secret(BASIC, password="p"), set()),
        (secret(BASIC), {("data[username]", REQUIRED), ("data[password]", REQUIRED)}),
        (secret(SSH), {("data[ssh-privatekey]", REQUIRED)}),
        (secret(DOCKER), {("data[.dockerconfigjson]", REQUIRED)}),
        (secret(DOCKER, _dockerconfigjson='{"auths": {}}'), set()),
        (secret(DOCKER, _dockerconfigjson="null"), set()),
        (secret(DOCKER, _dockerconfigjson=""), set()),
        (secret(DOCKER, _dockerconfigjson="nope"), {("data[.dockerconfigjson]", INVALID)}),
        (secret(DOCKER, _dockerconfigjson="[]"), {("data[.dockerconfigjson]", INVALID)}),
        (secret(DOCKER, _dockerconfigjson=b"\xff"), {("data[.dockerconfigjson]", INVALID)}),
        (secret(DOCKER, _dockerconfigjson="[" * 100_000), {("data[.dockerconfigjson]", INVALID)}),
        (secret(OLD_DOCKER, _dockerconfigjson="{}"), {("data[.dockercfg]", REQUIRED)}),
        (secret(ACCOUNT_TOKEN), {("metadata.annotations[kubernetes.io/service-account.name]", REQUIRED)}),
        (secret(ACCOUNT_TOKEN, {"kubernetes.io/service-account.name": "app"}), set()),
    ],
)
def test_types_have_their_keys(given, causes):
    assert create(SECRET, given)[1] == causes


def test_an_ssh_key_is_not_empty():
    assert create(SECRET, config(type=SSH, data={"ssh-privatekey": ""}))[1] == {("data[ssh-privatekey]", REQUIRED)}
    assert create(SECRET, config(type=SSH, data={"ssh-privatekey": b64("k")}))[1] == set()


def test_texts_become_data():
    made = created(SECRET, config(data={"a": b64("old"), "b": b64("kept")}, stringData={"a": "new", "c": "ü"}))
    assert to_document(made)["data"] == {"a": b64("new"), "b": b64("kept"), "c": b64("ü")}
    assert made.string_data is None
    assert made.type == "Opaque"


def test_a_type_stays():
    old = created(SECRET, secret(TLS, tls_crt="c", tls_key="k"))
    assert update(SECRET, old, secret(TLS, tls_crt="c", tls_key="k2"))[1] == set()
    assert update(SECRET, old, secret(tls_crt="c", tls_key="k"))[1] == {("type", INVALID)}


@pytest.mark.parametrize(
    ("kind", "change", "causes"),
    [
        (CONFIG_MAP, {"immutable": True}, set()),
        (CONFIG_MAP, {"immutable": True, "metadata": {"name": "c", "labels": {"a": "b"}}}, set()),
        (CONFIG_MAP, {"immutable": False}, {("immutable", FORBIDDEN)}),
        (CONFIG_MAP, {}, {("immutable", FORBIDDEN)}),
        (CONFIG_MAP, {"immutable": True, "data": {"a": "y"}}, {("data", FORBIDDEN)}),
        (CONFIG_MAP, {"immutable": True, "data": None}, {("data", FORBIDDEN)}),
        (CONFIG_MAP, {"immutable": True, "binaryData": {"b": "eQ=="}}, {("binaryData", FORBIDDEN)}),
        (SECRET, {"immutable": True}, set()),
        (SECRET, {}, {("immutable", FORBIDDEN)}),
        (SECRET, {"immutable": True, "stringData": {"a": "y"}}, {("data", FORBIDDEN)}),
        (SECRET, {"immutable": True, "data": None, "stringData": {"a": "x"}}, set()),
    ],
)
def test_what_is_immutable_stays(kind, change, causes):
    data = {"a": "x"} if kind is CONFIG_MAP else {"a": b64("x")}
    old = created(kind, config(data=data, immutable=True))
    assert update(kind, old, {**config(data=data), **change})[1] == causes
    free = created(kind, config(data=data))
    assert update(kind, free, {**config(data=data), **change})[1] == set()


def test_no_message_shows_a_value():
    for body in (
        b'{"data": {"a": "hunter2!"}}',
        b'{"data": {"a": 7700123}}',
        b'{"data": "hunter2"}',
        b'{"data": ["hunter2"]}',
        b'{"stringData": {"a": 7700123}}',
        b'{"stringData": "hunter2"}',
        b'{"stringData": {"a": {"hunter2": "x"}}}',
    ):
        with pytest.raises(BadRequest) as refused:
            decode_json(Secret, body, strictness=Strictness.STRICT)
        assert "hunter2" not in refused.value.message
        assert "7700123" not in refused.value.message
    given = parse(SECRET, secret(DOCKER, _dockerconfigjson="hunter2"))
    causes = SECRET.strategy.validate_create(given, None)
    assert causes
    assert not any("hunter2" in cause.message or b64("hunter2") in cause.message for cause in causes)


@pytest.mark.parametrize(
    ("text", "value"),
    [("aGk=", b"hi"), ("aGl=", b"hi"), ("aG\\nk=\\r\\n", b"hi"), ("", b""), ("AAEC", b"\x00\x01\x02")],
)
def test_bytes_are_base64_as_go_reads_it(text, value):
    body = f'{{"binaryData": {{"a": "{text}"}}}}'.encode()
    assert decode_json(ConfigMap, body, strictness=Strictness.STRICT)[0].binary_data == {"a": value}


@pytest.mark.parametrize("text", ["aGk", "a", "not base64!", "aGk=aGk=", "aGk==", "_-8=", "aG k="])
def test_what_is_no_base64_is_refused_by_name(text):
    body = f'{{"binaryData": {{"a": "{text}"}}}}'.encode()
    with pytest.raises(BadRequest, match=r"^binaryData\.a must be base64"):
        decode_json(ConfigMap, body, strictness=Strictness.IGNORE)


def test_null_is_no_bytes():
    assert decode_json(ConfigMap, b'{"binaryData": {"a": null}}', strictness=Strictness.STRICT)[0].binary_data == {
        "a": b""
    }


def warnings(certificate, key):
    return SECRET.strategy.warnings(created(SECRET, secret(TLS, tls_crt=certificate, tls_key=key)), None, CLUSTER)


def test_a_certificate_without_its_key_is_warned_of():
    authority = trustme.CA()
    one, other = (authority.issue_cert(f"{name}.example.com") for name in ("one", "other"))
    chain = b"".join(each.bytes() for each in one.cert_chain_pems)
    assert warnings(chain, one.private_key_pem.bytes()) == []
    assert "no key of the first certificate" in warnings(chain, other.private_key_pem.bytes())[0]
    assert "tls.key is no private key" in warnings(chain, "x")[0]
    assert "tls.crt is no certificate" in warnings("x", one.private_key_pem.bytes())[0]
    assert SECRET.strategy.warnings(created(SECRET, secret(tls_crt="x", tls_key="y")), None, CLUSTER) == []


def test_columns():
    assert cells(CONFIG_MAP, config(data={"a": "x", "b": "y"}, binaryData={"c": ""})) | {"Age": ""} == {
        "Name": "c",
        "Data": 3,
        "Age": "",
    }
    assert cells(SECRET, secret(TLS, tls_crt="c", tls_key="k")) | {"Age": ""} == {
        "Name": "s",
        "Type": TLS,
        "Data": 2,
        "Age": "",
    }
    assert set(cells(SERVICE_ACCOUNT, config())) == {"Name", "Age"}


def test_an_account_keeps_the_names_of_its_secrets():
    given = config(secrets=[{"name": "s", "kind": "Secret", "uid": "u"}], imagePullSecrets=[{"name": "p"}])
    made, causes = create(SERVICE_ACCOUNT, given)
    assert causes == set()
    assert to_document(made)["secrets"] == [{"name": "s"}]
    changed, causes = update(SERVICE_ACCOUNT, made, given)
    assert causes == set()
    assert to_document(changed)["secrets"] == [{"name": "s"}]
    assert to_document(changed)["imagePullSecrets"] == [{"name": "p"}]
