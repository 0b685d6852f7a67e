"""Each page in a real browser: nothing is wrong for screen readers, and the browser reports no error."""

import re
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.console.conftest import ROOT
from tests.console.looking import darkness, faults, is_shown, opened, text
from tests.e2e.waiting import until

PAGES = {
    "services": "list/services",
    "search": "list/services?text=198.18",
    "nothing-found": "list/services?text=no-such-thing",
    "service": "object/services/default/web",
    "pending": "object/services/default/third",
    "external-name": "object/services/default/away",
    "new-service": "new/services",
    "edit-service": "edit/services/default/api",
    "load-balancers": "list/loadbalancers",
    "addresses": "addresses",
    "history": "history?address=198.18.0.1",
    "data-planes": "dataplanes",
    "audit": "audit",
    "pool": "object/addresspools/-/external",
    "dns": "dns?name=web.default.svc.cluster.local",
    "pods": "list/pods",
    "pod": "object/pods/default/web-1",
    "load-balancer": "object/loadbalancers/default/web",
    "holders": "holders/external",
    "data-plane": "object/dataplanes/-/embedded",
    "new-static-address": "new/staticaddresses",
    "new-pool": "new/addresspools",
    "edit-pool": "edit/addresspools/-/external",
    "no-nodes": "list/nodes",
    "kinds": "kinds",
    "about": "about",
    "not-found": "object/services/default/nobody",
}
PICTURES = Path(".data/console")
SIZES = {"wide": (2560, 1200), "narrow": (1000, 900), "phone": (360, 800)}


def kept(browser, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(PICTURES / f"{name}.png"))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault(browser, served, name):
    browser.get_log("browser")
    opened(browser, served, PAGES[name])
    kept(browser, name)
    assert faults(browser) == []
    missing = name == "not-found"
    assert [each["message"] for each in browser.get_log("browser") if not (missing and "404" in each["message"])] == []


def test_dark_pages_have_no_fault(browser, served):
    with darkness(browser):
        for name in ("services", "service", "pending", "addresses", "data-planes", "new-service", "about"):
            opened(browser, served, PAGES[name])
            kept(browser, f"{name}-dark")
            assert (name, faults(browser)) == (name, [])
            ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
            assert max(map(int, re.findall(r"\d+", ground))) < 64


def test_the_keyboard_reaches_everything(browser, served):
    opened(browser, served, PAGES["services"])
    focused = browser.switch_to.active_element
    focused.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "content"
    reached = set()
    for _ in range(8):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        script = "const e = document.activeElement; return [e.name || e.className, getComputedStyle(e).outlineStyle]"
        name, outline = browser.execute_script(script)
        reached.add(name)
        assert outline != "none"
    assert {"namespace", "text", "labels", "scroll"} <= reached


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_a_window(browser, served, size):
    width, height = SIZES[size]
    view = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    try:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
        wider = {}
        for name, path in PAGES.items():
            opened(browser, served, path)
            kept(browser, f"{name}-{size}")
            wider[name] = browser.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert {name: pixels for name, pixels in wider.items() if pixels > 0} == {}


def test_many_services_are_paged_and_searched_by_the_server(browser, served):
    ports = [[{"port": 80}] for _ in range(219)] + [[{"port": 7777}]]
    items = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"many-{number:03}"}, "spec": {"ports": each}}
        for number, each in enumerate(ports)
    ]
    with httpx.Client(base_url=served.url, timeout=60) as api:
        try:
            answer = api.post("/apis/fairlead.io/v1/apply", json={"apiVersion": "v1", "kind": "List", "items": items})
            assert answer.status_code == 200
            opened(browser, served, "list/services?text=MANY")
            assert names(browser) == [f"many-{number:03}" for number in range(50)]
            browser.execute_script("document.querySelector('#rows a[href*=continue]').click()")
            until(lambda: names(browser) == [f"many-{number:03}" for number in range(50, 100)])
            assert "the state that the first page showed" in text(browser)
            opened(browser, served, "list/services?text=many+7777")
            assert names(browser) == ["many-219"]
            assert "Next page" not in text(browser)
            address = api.get(f"{ROOT}/services/many-117").json()["spec"]["clusterIP"]
            opened(browser, served, f"list/services?text={address}")
            assert "many-117" in names(browser)
        finally:
            assert api.delete(f"{ROOT}/services", params={"search": "many-"}).status_code == 200


def names(browser):
    """The names in a list that is shown."""
    script = "return [...document.querySelectorAll('#rows tbody th')].map(each => each.innerText)"
    return browser.execute_script(script)


def test_a_change_shows_by_itself(browser, served):
    opened(browser, served, "list/services")
    body = {"metadata": {"name": "live"}, "spec": {"ports": [{"port": 80}]}}
    with httpx.Client(base_url=served.url, timeout=30) as api:
        assert api.post(f"{ROOT}/services", json=body).status_code == 201
        until(lambda: "live" in text(browser, "#rows"))
        assert api.delete(f"{ROOT}/services/live").status_code == 200
        until(lambda: "live" not in text(browser, "#rows"))


@contextmanager
def streams_within_reach(browser):
    """`stream` is what a page's changes arrive by, for pages that are opened meanwhile."""
    source = """
    const Real = EventSource;
    window.EventSource = class extends Real { constructor(...given) { super(...given); window.stream = this; } };
    """
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


@pytest.mark.parametrize("name", ["services", "service", "addresses", "holders", "data-planes"])
def test_a_change_that_arrives_while_the_page_is_renewed_is_not_lost(browser, served, name):
    with streams_within_reach(browser):
        opened(browser, served, PAGES[name])
        browser.execute_script("""
            window.swaps = 0;
            const changed = () => stream.dispatchEvent(new MessageEvent("changed"));
            document.addEventListener("htmx:beforeSwap", () => { if (swaps++ == 0) changed(); });
            changed();
        """)
        until(lambda: browser.execute_script("return swaps") > 1)


def test_the_page_of_a_service_tells_its_way_and_its_records(browser, served):
    opened(browser, served, "object/services/default/web")
    told = text(browser)
    assert "198.18.0." in told
    assert "172.16.0.9" in told
    assert "web.default.svc.cluster.local" in told


def test_the_page_of_data_planes_follows_a_real_envoy(browser, served):
    opened(browser, served, "dataplanes")
    until(lambda: text(browser, "#planes tbody").count("yes") == 2)
    assert "embedded" in text(browser, "#planes tbody")
    assert re.search(r"Envoy \d+\.\d+", text(browser, "#planes tbody"))
    body = {"metadata": {"name": "port-80-too"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    services = "const row = document.querySelector('#planes tbody tr'); return row.children[8].innerText"
    before = int(browser.execute_script(services))
    with httpx.Client(base_url=served.url, timeout=30) as api:
        assert api.post(f"{ROOT}/services", json=body).status_code == 201
        try:
            until(lambda: int(browser.execute_script(services)) == before + 1)
        finally:
            assert api.delete(f"{ROOT}/services/port-80-too").status_code == 200


def test_the_page_of_dns_follows_the_secondaries_of_a_zone(browser, served):
    zone = "/apis/fairlead.io/v1/dnszones/cluster.local"
    merge = {"Content-Type": "application/merge-patch+json"}
    opened(browser, served, "dns")
    assert "No zone has secondaries" in text(browser, "#zones")
    with httpx.Client(base_url=served.url, timeout=30, headers=merge) as api:
        # Nobody answers there.
        spec = {"secondaries": [{"address": "127.0.0.1:1"}]}
        assert api.patch(zone, json={"spec": spec}).status_code == 200
        try:
            until(lambda: "127.0.0.1:1\tcluster.local\tUnreachable\tnone" in text(browser, "#zones"))
        finally:
            assert api.patch(zone, json={"spec": {"secondaries": None}}).status_code == 200
    until(lambda: "No zone has secondaries" in text(browser, "#zones"))


def test_the_holders_of_a_pool_lead_to_services_and_to_the_history(browser, served):
    static = "/apis/fairlead.io/v1/namespaces/default/staticaddresses"
    annotations = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
    with httpx.Client(base_url=served.url, timeout=30) as api:
        body = {"metadata": {"name": "kept"}, "spec": {"pool": "internal", "family": "IPv4"}}
        assert api.post(static, json=body).status_code == 201
        try:
            until(lambda: api.get(f"{static}/kept").json()["status"].get("address"))
            opened(browser, served, "holders/internal")
            assert "StaticAddress default/kept" in text(browser, "#holders tbody")
            assert "none yet" in text(browser, "#holders tbody")
            inside = {"metadata": {"name": "inside", "annotations": annotations}, "spec": spec}
            assert api.post(f"{ROOT}/services", json=inside).status_code == 201
            until(lambda: "default/inside" in text(browser, "#holders tbody"))
            held = api.get(f"{ROOT}/services/inside").json()["status"]["loadBalancer"]["ingress"][0]["ip"]
            assert held in text(browser, "#holders tbody")
            assert api.delete(f"{ROOT}/services/inside").status_code == 200
            until(lambda: "default/inside" not in text(browser, "#holders tbody"))
        finally:
            api.delete(f"{static}/kept")
    opened(browser, served, f"history?address={held}")
    assert "Service default/inside" in text(browser)
    assert "held now" not in text(browser)
    assert httpx.get(f"{served.url}/console/holders/nobody").status_code == 404


def test_about_tells_who_works_on_what(browser, served):
    opened(browser, served, "about")
    told = text(browser)
    words = ("mirror", "allocation", "zone-serials", "embedded: envoy", "system:masters", "CPython 3.", "PostgreSQL 1")
    assert [word for word in words if word not in told] == []
    processes = browser.execute_script("return document.querySelectorAll('table tbody tr').length")
    assert processes >= 2


def test_a_service_that_waits_says_why(browser, served):
    opened(browser, served, "object/services/default/third")
    assert "Why it is pending" in text(browser)
    assert "external" in text(browser, ".card.waiting")


def test_the_menu_of_a_phone_opens_and_closes_by_the_keyboard(browser, served):
    view = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    try:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
        opened(browser, served, "list/services")
        height = browser.execute_script("return document.querySelector('header').offsetHeight")
        assert height < 70, "the header has more than one line"
        assert not is_shown(browser, "nav a")
        browser.find_element(By.CSS_SELECTOR, "header .menu").send_keys(Keys.ENTER)
        until(lambda: is_shown(browser, "nav a"))
        assert faults(browser) == []
        kept(browser, "menu-phone")
        browser.switch_to.active_element.send_keys(Keys.TAB)
        assert browser.switch_to.active_element.text == "Services"
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        until(lambda: not is_shown(browser, "nav a"))
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_no_node_is_to_be_created(browser, served):
    opened(browser, served, "list/nodes")
    assert "Create the first one" not in text(browser, "#rows")
    assert "registers it as a Node" in text(browser, "#rows")


def test_a_lost_connection_is_said_and_heals(browser, served):
    opened(browser, served, "list/services")
    until(lambda: "web" in text(browser, "#rows"))
    browser.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    served.child("api").kill()
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    until(lambda: is_shown(browser, "#offline"))
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
    until(lambda: not is_shown(browser, "#offline"), timeout=60)
    until(served.is_ready)
