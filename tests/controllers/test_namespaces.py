"""A namespace that is deleted empties itself, and says what it waits for."""

import pytest

from app.controllers.namespaces import Namespaces
from app.domain.kinds.endpoints_declaration import ENDPOINTS
from app.domain.kinds.namespace import NAMESPACE
from app.domain.kinds.service_declaration import SERVICE
from app.domain.rules.namespace_deletion import CONTENT_REMAINING, FINALIZERS_REMAINING


@pytest.fixture
async def emptying(world):
    parts = world.parts
    async with world.reconciling(Namespaces(parts.writer, parts.mirror, parts.kinds, parts.cluster)):
        yield world


def service(name, *finalizers):
    return {"metadata": {"name": name, "finalizers": list(finalizers)}, "spec": {"clusterIP": "None"}}


def conditions(namespace):
    return {each.type: (each.status, each.message) for each in namespace.status.conditions or []}


async def test_everything_in_it_goes_with_it(emptying):
    await emptying.create(NAMESPACE, {"metadata": {"name": "shop"}})
    await emptying.create(SERVICE, service("web"), "shop")
    await emptying.create(ENDPOINTS, {"metadata": {"name": "web"}}, "shop")
    await emptying.delete(NAMESPACE, "shop")
    await emptying.gone(NAMESPACE, "shop")
    assert await emptying.names(SERVICE, "shop") == await emptying.names(ENDPOINTS, "shop") == set()


async def test_its_conditions_say_what_it_waits_for(emptying):
    await emptying.create(NAMESPACE, {"metadata": {"name": "shop"}})
    for name in ("one", "two"):
        await emptying.create(SERVICE, service(name, "example.com/hold"), "shop")
    await emptying.delete(NAMESPACE, "shop")

    async def told(count):
        return await emptying.becomes(
            NAMESPACE,
            "shop",
            lambda shop: (
                conditions(shop)
                == {
                    CONTENT_REMAINING: ("True", f"still there: services ({count})"),
                    FINALIZERS_REMAINING: ("True", f"waited for before objects go: example.com/hold ({count})"),
                }
            ),
        )

    def let_go(obj):
        obj.metadata.finalizers = None

    before = await told(2)
    await emptying.change(SERVICE, "one", let_go, "shop")
    after = await told(1)
    assert [each.last_transition_time for each in after.status.conditions] == [
        each.last_transition_time for each in before.status.conditions
    ]
    await emptying.change(SERVICE, "two", let_go, "shop")
    await emptying.gone(NAMESPACE, "shop")
