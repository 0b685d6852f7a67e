"""Bodies that need no allocation, so that no reconciler is needed for their POST to be answered at once."""

SERVICES = "/api/v1/namespaces/default/services"
EVENTS = "/api/v1/namespaces/default/events"


def alias(name, **metadata):
    """An ExternalName Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, **metadata},
        "spec": {"type": "ExternalName", "externalName": f"{name}.example.com"},
    }


async def created(api, name, **metadata):
    """POST an alias and answer what it became."""
    answer = await api.post(SERVICES, json=alias(name, **metadata))
    assert answer.status_code == 201, answer.text
    return answer.json()
