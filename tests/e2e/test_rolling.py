"""Rollouts: the slices follow, with few writes and none too large."""

import asyncio
import time
from functools import partial

import pytest

from tests.e2e.rolling import LIMIT, SLICES, Rollout, largest_slice, writes
from tests.e2e.waiting import eventually


@pytest.mark.parametrize(
    ("pods", "services", "rounds"),
    [(300, 12, 5), pytest.param(5_000, 500, 60, marks=pytest.mark.soak)],
)
async def test_slices_follow_a_rollout(product, namespace, pods, services, rounds):
    rollout = Rollout(product.url, namespace, pods=pods, services=services)
    await rollout.start()
    await eventually(partial(rollout.settled, product.database_url), timeout=120)
    before = {kind: await writes(product.database_url, namespace, kind) for kind in (SLICES, "endpoints")}
    rollout.changes = 0
    began = time.monotonic()
    for number in range(rounds):
        await rollout.roll(0.1)
        await asyncio.sleep(began + number + 1 - time.monotonic())
    took = time.monotonic() - began
    await eventually(partial(rollout.settled, product.database_url), timeout=120)
    behind = time.monotonic() - began - took
    after = {kind: await writes(product.database_url, namespace, kind) - count for kind, count in before.items()}
    print(f"{rollout.changes} pod changes in {took:.1f} s, slices right {behind:.2f} s later, writes: {after}")  # noqa: T201 - read with -s
    rollout.close()
    assert await largest_slice(product.database_url, namespace) <= LIMIT
    # Each pod is behind one Service, whose endpoints are in one slice, and changes that come together are one write.
    assert all(count <= rollout.changes for count in after.values()), after


async def test_a_service_of_many_pods_has_full_slices(product, namespace):
    rollout = Rollout(product.url, namespace, pods=350, services=1)
    await rollout.start()
    await eventually(partial(rollout.settled, product.database_url), timeout=60)
    await rollout.roll(0.5)
    await eventually(partial(rollout.settled, product.database_url), timeout=60)
    rollout.close()
    assert await largest_slice(product.database_url, namespace) == LIMIT
