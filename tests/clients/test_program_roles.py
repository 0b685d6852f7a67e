"""kube-proxy, CoreDNS, ExternalDNS and a registration agent, each with its default role and no other right."""

from contextlib import asynccontextmanager

import httpx
import pytest
from kubernetes_asyncio import client, config

from app.registrant.registration import Program, Registration
from tests.clients.informers import Agent, Informer, core_dns, kube_proxy
from tests.e2e import agent as node_agent
from tests.e2e.waiting import eventually

ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
BOUND_FROM_THE_START = {"system:node-proxier": "system:kube-proxy"}


def external_dns(api):
    """What ExternalDNS watches for the source `service`."""
    core, discovery = client.CoreV1Api(api), client.DiscoveryV1Api(api)
    lists = {
        "services": core.list_service_for_all_namespaces,
        "endpointslices.discovery.k8s.io": discovery.list_endpoint_slice_for_all_namespaces,
        "pods": core.list_pod_for_all_namespaces,
        "nodes": core.list_node,
    }
    return Agent({kind: Informer(function, lambda _: True) for kind, function in lists.items()})


@asynccontextmanager
async def playing(product, kubeconfig, role):
    """A client of the Kubernetes library that has the rights of one role."""
    user = BOUND_FROM_THE_START.get(role, f"test-of-{role}")
    path = f"{BINDINGS}/test-of-{role}"
    async with httpx.AsyncClient(base_url=product.url, timeout=60) as admin:
        if role not in BOUND_FROM_THE_START:
            reference = {"kind": "ClusterRole", "name": role}
            body = {"metadata": {"name": f"test-of-{role}"}, "roleRef": reference}
            made = await admin.post(BINDINGS, json={**body, "subjects": [{"kind": "User", "name": user}]})
            assert made.status_code == 201
        async with await config.new_client_from_config(str(kubeconfig)) as api:
            api.set_default_header("Impersonate-User", user)
            yield api, {"impersonate-user": user}
        await admin.delete(path)


@pytest.mark.parametrize(
    ("role", "program"),
    [
        ("system:node-proxier", lambda api: kube_proxy(api, "n1")),
        ("system:coredns", core_dns),
        ("system:external-dns", external_dns),
    ],
)
async def test_informers_run_with_their_role_and_have_no_other_right(product, kubeconfig, namespace, role, program):
    services = f"/api/v1/namespaces/{namespace}/services"
    async with playing(product, kubeconfig, role) as (api, headers), program(api) as running:

        async def seen():
            running.check()
            return (namespace, "web") in running.informers["services"].objects

        async with httpx.AsyncClient(base_url=product.url, timeout=60) as admin:
            await admin.post(services, json={"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
            await eventually(seen)
            for method, path in (
                ("POST", services),
                ("DELETE", f"{services}/web"),
                ("PATCH", f"{services}/web/status"),
                ("GET", "/api/v1/secrets"),
                ("GET", f"/api/v1/namespaces/{namespace}/configmaps/x"),
                ("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
                ("GET", "/metrics"),
            ):
                assert (await admin.request(method, path, headers=headers)).status_code == 403, path
            await admin.delete(f"{services}/web")
        running.check()


@pytest.mark.parametrize("role", ["node-proxier", "coredns", "external-dns", "registration-agent"])
async def test_a_program_has_the_rules_of_its_role_and_what_everybody_has(product, kubeconfig, role):
    role = f"system:{role}"
    async with playing(product, kubeconfig, role) as (_, headers), httpx.AsyncClient(base_url=product.url) as api:
        stored = (await api.get(f"{ROLES}/{role}")).json()["rules"]
        answer = await api.post(RULES, json={"spec": {"namespace": "default"}}, headers=headers)
        rules = answer.json()["status"]["resourceRules"]
        asking = {"authorization.k8s.io", "authentication.k8s.io"}
        assert [each for each in rules if not asking & set(each["apiGroups"])] == stored


def test_registrations_are_made_and_renewed_with_their_role(product, namespace):
    binding = {
        "metadata": {"name": f"agent-of-{namespace}"},
        "roleRef": {"kind": "ClusterRole", "name": "system:registration-agent"},
        "subjects": [{"kind": "User", "name": namespace}],
    }
    assert httpx.post(f"{product.url}{BINDINGS}", json=binding, timeout=60).status_code == 201
    headers = {"impersonate-user": namespace}
    with httpx.Client(base_url=product.url, timeout=60, headers=headers) as api:
        node_agent.register(api, namespace, f"node-of-{namespace}")
        lease = {"metadata": {"name": f"node-of-{namespace}"}, "spec": node_agent.spec("x", 40)}
        node_agent.post(api, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", lease)
        program = Program("web", namespace, {"app": "web"}, "172.16.0.2", [("http", 8080)], "", 30)
        registration = Registration(api, program)
        registration.keep(well=True)
        registration.keep(well=True)
        pod = api.get(f"/api/v1/namespaces/{namespace}/pods/{registration.name}").json()
        assert pod["status"]["podIP"] == "172.16.0.2"
        registration.leave()
        assert api.delete(f"/api/v1/nodes/node-of-{namespace}").is_success
        for kind in ("services", "secrets", "configmaps"):
            assert api.get(f"/api/v1/namespaces/{namespace}/{kind}").status_code == 403
    assert httpx.delete(f"{product.url}{BINDINGS}/agent-of-{namespace}", timeout=60).is_success
