"""ResourceQuotas over the wire: what they refuse, in Kubernetes' words."""

import pytest

CORE = "/api/v1/namespaces/kube-public"
QUOTAS, SERVICES, SECRETS = f"{CORE}/resourcequotas", f"{CORE}/services", f"{CORE}/secrets"
BULK = "/apis/fairlead.io/v1/apply"
MERGE = {"content-type": "application/merge-patch+json"}
APPLY = {"content-type": "application/apply-patch+yaml"}


@pytest.fixture(autouse=True)
async def _cleared(api):
    yield
    for collection in (QUOTAS, SERVICES, SECRETS):
        assert (await api.delete(collection)).status_code == 200


async def limited(api, name="q", **hard):
    hard = {resource.replace("__", "/").replace("_", "."): quantity for resource, quantity in hard.items()}
    made = await api.post(QUOTAS, json={"metadata": {"name": name}, "spec": {"hard": hard}})
    assert made.status_code == 201, made.text
    return made.json()


def service(name, type_="ClusterIP", **spec):
    return {"metadata": {"name": name}, "spec": {"type": type_, "ports": [{"port": 80}], **spec}}


def headless(name):
    return service(name, clusterIP="None")


def external(name):
    return {"metadata": {"name": name}, "spec": {"type": "ExternalName", "externalName": "example.org"}}


async def refused(answer, message):
    status = answer.json()
    assert (answer.status_code, status["reason"]) == (403, "Forbidden"), answer.text
    assert status["message"] == message
    assert status["details"]["kind"] == message.partition(" ")[0].partition(".")[0]


async def test_quantities_are_stored_in_one_form(api):
    made = await limited(api, services=1000, secrets="0.001k")
    assert (made["spec"]["hard"], made["status"]) == ({"services": "1k", "secrets": "1"}, {})
    wrong = await api.post(QUOTAS, json={"metadata": {"name": "w"}, "spec": {"hard": {"services": "many"}}})
    assert wrong.status_code == 400
    assert "spec.hard.services must be a quantity" in wrong.json()["message"]


async def test_creates_beyond_a_quota_are_refused(api):
    await limited(api, services="1", count__secrets="0")
    assert (await api.post(SERVICES, json=headless("a"))).status_code == 201
    told = "is forbidden: exceeded quota: q, requested: services=1, used: services=1, limited: services=1"
    for query in ("", "?dryRun=All"):
        await refused(await api.post(SERVICES + query, json=headless("b")), f'services "b" {told}')
        await refused(await api.post(SERVICES + query, json=headless("a")), f'services "a" {told}')
        await refused(await api.put(f"{SERVICES}/b{query}", json=headless("b")), f'services "b" {told}')
        applied = await api.patch(
            f"{SERVICES}/b?fieldManager=me&{query[1:]}",
            json={"apiVersion": "v1", "kind": "Service", **headless("b")},
            headers=APPLY,
        )
        await refused(applied, f'services "b" {told}')
    secret = await api.post(SECRETS, json={"metadata": {"name": "s"}})
    why = "exceeded quota: q, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0"
    await refused(secret, f'secrets "s" is forbidden: {why}')
    assert (await api.delete(f"{SERVICES}/a")).status_code == 200
    assert (await api.post(SERVICES, json=headless("b"))).status_code == 201


async def test_an_update_is_charged_for_what_it_adds(api):
    await limited(api, services="9", services_loadbalancers="0", services_nodeports="1")
    assert (await api.post(SERVICES, json=external("a"))).status_code == 201
    ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    changes = {
        "services.nodeports=2|services.nodeports=0|services.nodeports=1": {"type": "NodePort", "ports": ports},
        "services.loadbalancers=1|services.loadbalancers=0|services.loadbalancers=0": {
            "type": "LoadBalancer", "ports": ports[:1]
        },
        "services.loadbalancers=1,services.nodeports=2|services.loadbalancers=0,services.nodeports=0"
        "|services.loadbalancers=0,services.nodeports=1": {"type": "LoadBalancer", "ports": ports},
    }  # fmt: skip
    for told, spec in changes.items():
        requested, used, most = told.split("|")
        why = f"exceeded quota: q, requested: {requested}, used: {used}, limited: {most}"
        for query in ("", "?dryRun=All"):
            patch = {"spec": {"externalName": None, **spec}}
            patched = await api.patch(f"{SERVICES}/a{query}", json=patch, headers=MERGE)
            await refused(patched, f'services "a" is forbidden: {why}')


async def test_all_quotas_hold_and_the_first_by_name_is_told(api):
    await limited(api, "b", services="0")
    await limited(api, "a", services="5")
    await refused(
        await api.post(SERVICES, json=headless("x")),
        'services "x" is forbidden: exceeded quota: b, requested: services=1, used: services=0, limited: services=0',
    )
    assert (await api.delete(f"{QUOTAS}/b")).status_code == 200
    assert (await api.post(SERVICES, json=headless("x"))).status_code == 201


async def test_a_lower_quota_holds_at_once(api):
    await limited(api, services="3")
    for name in ("a", "b"):
        assert (await api.post(SERVICES, json=headless(name))).status_code == 201
    lowered = await api.patch(f"{QUOTAS}/q", json={"spec": {"hard": {"services": "1"}}}, headers=MERGE)
    assert lowered.status_code == 200
    assert (await api.post(SERVICES, json=headless("c"))).status_code == 403
    labelled = await api.patch(f"{SERVICES}/a", json={"metadata": {"labels": {"x": "y"}}}, headers=MERGE)
    assert labelled.status_code == 200


async def test_a_bulk_apply_counts_as_a_whole(api):
    await limited(api, services="2")
    documents = [{"apiVersion": "v1", "kind": "Service", **headless(name)} for name in ("a", "b", "c")]
    for document in documents:
        document["metadata"]["namespace"] = "kube-public"
    for query in ("", "&dryRun=All"):
        answer = await api.post(
            f"{BULK}?fieldManager=me{query}", json={"apiVersion": "v1", "kind": "List", "items": documents}
        )
        assert answer.status_code == 403, answer.text
        (cause,) = answer.json()["details"]["causes"]
        assert cause["field"] == "items[2]"
        assert "exceeded quota: q, requested: services=1, used: services=2, limited: services=2" in cause["message"]
    assert (await api.get(SERVICES)).json()["items"] == []


async def test_kinds_and_namespaces_without_a_quota_are_free(api):
    await limited(api, services="0")
    assert (await api.post(SECRETS, json={"metadata": {"name": "s"}})).status_code == 201
    elsewhere = "/api/v1/namespaces/default/services"
    assert (await api.post(elsewhere, json=headless("free"))).status_code == 201
    assert (await api.delete(f"{elsewhere}/free")).status_code == 200
