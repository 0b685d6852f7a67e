"""A product that does everything that a dashboard shows, watched by a Prometheus."""

import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import dns.message
import dns.query
import httpx

from app.credentials.certificates import client_context
from tests.e2e.bodies import cluster_ip, load_balancer, node_port, service
from tests.e2e.serving import Serving
from tests.e2e.waiting import until
from tests.observation.collector import Collector
from tests.observation.prometheus import Prometheus
from tests.ports import free_port

TOKEN = "a-token-of-a-test"
SERVICES = "/api/v1/namespaces/default/services"
ZONE = "/apis/fairlead.io/v1/dnszones/cluster.local"


class Busy:
    """A product under work.

    Attributes:
        serving: The product.
        prometheus: Scrapes it.
    """

    def __init__(self, serving, prometheus, dns_port):
        self.serving, self.prometheus = serving, prometheus
        self._dns_port = dns_port
        self.client = httpx.Client(
            base_url=serving.url,
            headers={"authorization": f"Bearer {TOKEN}"},
            verify=client_context(serving.data_dir / "tls" / "ca.crt"),
            timeout=30,
        )
        self._watching = threading.Thread(target=self._watch)

    def close(self):
        """After the product, whose end ends the watch."""
        if self._watching.is_alive():
            self._watching.join()
        self.client.close()

    def set_up(self):
        """What happens once: a watch, a secondary that does not answer, a backup."""
        self._watching.start()
        nobody = {"address": f"127.0.0.1:{free_port()}"}
        merge = {"content-type": "application/merge-patch+json"}
        until(lambda: self.client.get(ZONE).is_success)
        self.client.patch(ZONE, json={"spec": {"secondaries": [nobody]}}, headers=merge).raise_for_status()
        back_up = ("backup", "--data-dir", self.serving.data_dir, "--file", self.serving.data_dir.with_name("backup"))
        subprocess.run([sys.executable, "-m", "app.cli", *back_up], check=True, timeout=120, capture_output=True)

    def work(self, number):
        """Some of everything."""
        for make in (cluster_ip, node_port, load_balancer):
            name = f"{make.__name__.replace('_', '-')}-{number}"
            self.client.post(SERVICES, json=service(name, make())).raise_for_status()
            query = dns.message.make_query(f"{name}.default.svc.cluster.local.", "A")
            dns.query.udp(query, "127.0.0.1", timeout=5, port=self._dns_port)
        self.client.get(SERVICES, params={"limit": 50}).raise_for_status()
        self.client.get(f"{SERVICES}/cluster-ip-{number}").raise_for_status()
        self.client.delete(f"{SERVICES}/node-port-{number}").raise_for_status()

    def _watch(self):
        query = {"watch": "true", "timeoutSeconds": "3600"}
        try:
            with self.client.stream("GET", SERVICES, params=query, timeout=None) as stream:
                for _ in stream.iter_lines():
                    pass
        except httpx.HTTPError:  # the product has ended
            return


@contextmanager
def busy(directory, *flags):
    """A product with TLS, Envoy, DNS and traces, under work."""
    tokens, port = directory / "tokens.csv", free_port()
    tokens.write_text(f'{TOKEN},admin,1,"system:masters"\n')
    tokens.chmod(0o600)
    with ExitStack() as stack:
        collector = stack.enter_context(Collector())
        after_the_product = stack.enter_context(ExitStack())
        traces = ("--otlp-endpoint", collector.endpoint, "--trace-ratio", "1")
        serving = stack.enter_context(
            Serving(directory / "data", *traces, "--token-file", tokens, *flags, data_plane="envoy", dns_port=str(port))
        )
        authority = serving.data_dir / "tls" / "ca.crt"
        prometheus = stack.enter_context(Prometheus(directory, serving.url, TOKEN, authority))
        found = Busy(serving, prometheus, port)
        after_the_product.callback(found.close)
        yield found
