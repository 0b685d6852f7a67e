"""What every namespace has from the start: an account, and the certificates that the API is known by."""

import pytest
import trustme

from app.controllers.namespace_defaults import NamespaceDefaults
from app.credentials.certificates import CertificateError, RootCertificates
from app.domain.declarations.config_map import CONFIG_MAP
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.pod import POD
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.startup.bootstrap import INITIAL_NAMESPACES

ROOTS = "kube-root-ca.crt"


class Roots:
    """The certificates as they are now."""

    def __init__(self, pem=""):
        self.pem = pem

    def __call__(self):
        return self.pem


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(NamespaceDefaults, "resync", 0.05)


def defaults(world, roots=None):
    parts = world.parts
    return world.reconciling(NamespaceDefaults(parts.writer, parts.mirror, parts.cluster, roots or Roots()))


async def there(world, kind, name, namespace):
    return await world.becomes(kind, name, bool, namespace)


async def test_every_namespace_has_an_account(world):
    async with defaults(world):
        await world.create(NAMESPACE, {"metadata": {"name": "later"}})
        for namespace in (*INITIAL_NAMESPACES, "later"):
            account = await there(world, SERVICE_ACCOUNT, "default", namespace)
            assert account.metadata.creation_timestamp


async def test_without_tls_there_are_no_certificates_to_show(world):
    async with defaults(world):
        assert (await there(world, CONFIG_MAP, ROOTS, "default")).data == {"ca.crt": ""}


async def test_an_account_that_is_deleted_comes_back_as_another(world):
    async with defaults(world):
        before = await there(world, SERVICE_ACCOUNT, "default", "default")
        await world.delete(SERVICE_ACCOUNT, "default")
        uid = before.metadata.uid
        await world.becomes(SERVICE_ACCOUNT, "default", lambda account: account.metadata.uid != uid)


async def test_what_others_say_of_an_account_stays(world):
    def pull(account):
        account.automount_service_account_token = False

    async with defaults(world):
        await there(world, SERVICE_ACCOUNT, "default", "default")
        changed = await world.change(SERVICE_ACCOUNT, "default", pull)
        await world.create(NAMESPACE, {"metadata": {"name": "later"}})
        await there(world, SERVICE_ACCOUNT, "default", "later")
        assert await world.get(SERVICE_ACCOUNT, "default") == changed


async def test_a_namespace_that_goes_gets_nothing_more(world):
    async with world.reconciling_everything():
        await world.create(NAMESPACE, {"metadata": {"name": "going"}})
        await there(world, SERVICE_ACCOUNT, "default", "going")
        held = {"metadata": {"name": "x", "finalizers": ["example.com/hold"]}, "spec": {"containers": [{"name": "m"}]}}
        await world.create(POD, held, "going")
        await world.delete(NAMESPACE, "going")
        await world.gone(SERVICE_ACCOUNT, "default", "going")
        await world.change(POD, "x", lambda pod: setattr(pod.metadata, "finalizers", None), "going")
        await world.gone(NAMESPACE, "going")


async def test_certificates_are_shown_everywhere_and_kept_as_they_are(world):
    roots = Roots("first")
    async with defaults(world, roots):
        await world.create(NAMESPACE, {"metadata": {"name": "later"}})
        for namespace in (*INITIAL_NAMESPACES, "later"):
            assert (await there(world, CONFIG_MAP, ROOTS, namespace)).data == {"ca.crt": "first"}

        def spoil(config_map):
            config_map.data = {"ca.crt": "mine", "more": "x"}
            config_map.binary_data = {"b": b""}
            config_map.metadata.labels = {"kept": "yes"}
            config_map.metadata.annotations = None

        await world.change(CONFIG_MAP, ROOTS, spoil, "later")
        mended = await world.becomes(CONFIG_MAP, ROOTS, lambda found: found.data == {"ca.crt": "first"}, "later")
        assert mended.binary_data is None
        assert mended.metadata.labels == {"kept": "yes"}
        assert "kubernetes.io/description" in mended.metadata.annotations
        await world.delete(CONFIG_MAP, ROOTS, "later")
        await there(world, CONFIG_MAP, ROOTS, "later")
        roots.pem = "second"
        for namespace in (*INITIAL_NAMESPACES, "later"):
            await world.becomes(CONFIG_MAP, ROOTS, lambda found: found.data == {"ca.crt": "second"}, namespace)


def test_of_a_file_only_certificates_are_shown(tmp_path):
    path, authority = tmp_path / "roots", trustme.CA()
    issued = authority.issue_cert("api.example.com")
    path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    roots = RootCertificates(path)
    assert roots.pem.count("BEGIN CERTIFICATE") == len(issued.cert_chain_pems)
    assert "PRIVATE" not in roots.pem
    before = roots.pem
    path.write_text("nothing")
    with pytest.raises(CertificateError, match="must hold certificates in PEM"):
        roots.reload()
    assert roots.pem == before
    path.unlink()
    with pytest.raises(CertificateError, match="cannot be read"):
        roots.reload()
