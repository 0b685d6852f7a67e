"""Many Services by many clients at once."""

import pytest

from tests.e2e import audit
from tests.e2e.workload import Load


@pytest.mark.parametrize("size", [300, pytest.param(3_000, marks=pytest.mark.soak)])
async def test_services_of_every_type_by_32_clients(product, namespace, size):
    load = Load([product.url], namespace, range(size))
    await load.run(lambda worker: worker.create_all())
    counted = await audit.check_claims(product.database_url, namespace)
    assert counted["cluster_ips"] >= size // 2
    await load.run(lambda worker: worker.update_all())
    await audit.check_claims(product.database_url, namespace)
    await audit.check_log(product.database_url, load.record.writes)
    shown = await audit.services(product.database_url, namespace)
    assert {uid: subject.latest for subject in load.subjects for uid in [subject.latest["metadata"]["uid"]]} == shown

    await load.run(lambda worker: worker.delete_all())
    assert await audit.services(product.database_url, namespace) == {}
    left = await audit.check_claims(product.database_url, namespace)
    assert set(left.values()) == {0}
    await audit.check_log(product.database_url, load.record.writes)
    assert load.rounds == {"create": size, "update": size, "delete": size}
    assert load.record.waiting == 0
