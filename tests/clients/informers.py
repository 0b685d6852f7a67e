"""Informers as kube-proxy and CoreDNS have them: the lists, selectors and watches they ask for, and no others."""

import asyncio
import json
from contextlib import suppress

from kubernetes_asyncio import client, watch
from kubernetes_asyncio.client import ApiException

PATIENCE = 3
"""Seconds of each watch, so that all of them are resumed again and again."""


class Informer:
    """Follows one list with a watch that it resumes; lists anew when the server has forgotten its revision.

    Attributes:
        objects: What it holds, by namespace and name, as the server sent it.
        events: How many events it was sent.
        relists: How often it had to begin anew.
    """

    def __init__(self, list_function, selects, *, watch_list=False, **selectors):
        """Prepare.

        Args:
            list_function: Of the API.
            selects: Tells of an object whether the selectors select it, in the test's own words.
            watch_list: Whether it begins with a watch that sends what there is (client-go since 1.35), not with a list.
            selectors: `label_selector` and `field_selector`.
        """
        self.selects = selects
        self.objects = {}
        self.events = 0
        self.relists = 0
        self._list = list_function
        self._watch_list = watch_list
        self._selectors = selectors
        self._revision = None

    async def run(self):
        while True:
            try:
                if self._revision is None:
                    self.relists += 1
                    await (self._sent_first() if self._watch_list else self._listed())
                await self._follow(resource_version=self._revision)
            except ApiException as error:
                # A watch whose revision has left the log; anything else is a failure of the test.
                if error.status != 410:
                    raise
                self._revision = None

    async def _listed(self):
        objects, token, revision = {}, None, None
        while token is None or token:
            reply = await self._list(limit=500, _continue=token, _preload_content=False, **self._selectors)
            document = json.loads(await reply.read())
            if reply.status != 200:
                raise ApiException(status=reply.status, reason=str(document))
            objects.update((_place(each), each) for each in document["items"])
            revision, token = document["metadata"]["resourceVersion"], document["metadata"].get("continue", "")
        for each in objects.values():
            # Items of a list leave out what the list says for all of them.
            each.pop("apiVersion", None)
            each.pop("kind", None)
        self.objects, self._revision = objects, revision

    async def _sent_first(self):
        self.objects = {}
        asked = {"send_initial_events": True, "resource_version_match": "NotOlderThan"}
        await self._follow(until_all=True, **asked)

    async def _follow(self, *, until_all=False, **options):
        async with watch.Watch() as following:
            stream = following.stream(
                self._list, timeout_seconds=PATIENCE, allow_watch_bookmarks=True, **options, **self._selectors
            )
            async for event in stream:
                self._take(event["type"], event["raw_object"])
                if until_all and event["type"] == "BOOKMARK":
                    assert event["raw_object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
                    return

    def _take(self, kind, document):
        self._revision = document["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            return
        self.events += 1
        place = _place(document)
        document.pop("apiVersion", None)
        document.pop("kind", None)
        assert (place in self.objects) is (kind != "ADDED"), (kind, place)
        if kind == "DELETED":
            del self.objects[place]
        else:
            self.objects[place] = document


class Agent:
    """A program with some informers; kube-proxy tells of its start, too."""

    def __init__(self, informers):
        self.informers = informers
        self._tasks = []

    async def __aenter__(self):
        self._tasks = [asyncio.create_task(each.run()) for each in self.informers.values()]
        return self

    async def __aexit__(self, *_):
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    def check(self):
        """Fail when one of the informers has failed."""
        for task in self._tasks:
            if task.done():
                task.result()


def kube_proxy(api, node):
    """What kube-proxy watches."""
    core, discovery, networking = client.CoreV1Api(api), client.DiscoveryV1Api(api), client.NetworkingV1Api(api)
    return Agent(
        {
            "services": Informer(
                core.list_service_for_all_namespaces,
                lambda each: (
                    each["spec"].get("clusterIP") != "None"
                    and "service.kubernetes.io/service-proxy-name" not in _labels(each)
                ),
                field_selector="spec.clusterIP!=None",
                label_selector="!service.kubernetes.io/service-proxy-name",
            ),
            "endpointslices.discovery.k8s.io": Informer(
                discovery.list_endpoint_slice_for_all_namespaces,
                lambda each: "service.kubernetes.io/headless" not in _labels(each),
                label_selector="!service.kubernetes.io/headless",
            ),
            "nodes": Informer(
                core.list_node,
                lambda each: each["metadata"]["name"] == node,
                field_selector=f"metadata.name={node}",
            ),
            "servicecidrs.networking.k8s.io": Informer(networking.list_service_cidr, lambda _: True),
        }
    )


def core_dns(api):
    """What CoreDNS's kubernetes plugin watches, with a client-go that begins with a watch."""
    core, discovery = client.CoreV1Api(api), client.DiscoveryV1Api(api)
    return Agent(
        {
            "services": Informer(core.list_service_for_all_namespaces, lambda _: True, watch_list=True),
            "endpointslices.discovery.k8s.io": Informer(
                discovery.list_endpoint_slice_for_all_namespaces, lambda _: True, watch_list=True
            ),
            "namespaces": Informer(core.list_namespace, lambda _: True, watch_list=True),
        }
    )


def _place(document):
    return document["metadata"].get("namespace", ""), document["metadata"]["name"]


def _labels(document):
    return document["metadata"].get("labels") or {}
