"""Objects made and changed in a real browser, by forms and as YAML."""

import httpx
from selenium.webdriver.common.by import By

from tests.console.conftest import ROOT
from tests.console.looking import arrived, fill, opened, press, text, value, write
from tests.e2e.waiting import until


def test_a_service_is_made_by_the_form_changed_and_deleted(browser, served):
    opened(browser, served, "new/services")
    form = browser.find_element(By.CSS_SELECTOR, "form.fields")
    form.find_element(By.NAME, "name").send_keys("made-here")
    form.find_element(By.NAME, "ports").send_keys("80, 53:5353/UDP")
    form.find_element(By.NAME, "selector").send_keys("app=made")
    form.find_element(By.TAG_NAME, "button").click()
    until(lambda: "made-here" in value(browser, "#text"))
    press(browser, "preview")
    until(lambda: "What would be created" in text(browser, "#preview"))
    assert "clusterIP: 10." in text(browser, "#preview")
    press(browser, "save")
    arrived(browser, "/object/services/default/made-here")
    opened(browser, served, "edit/services/default/made-here")
    write(browser, "#text", value(browser, "#text").replace("port: 80", "port: 8081"))
    press(browser, "preview")
    until(lambda: "8081" in text(browser, "#preview ins"))
    press(browser, "save")
    arrived(browser, "/object/services/default/made-here")
    browser.find_element(By.CSS_SELECTOR, "details.confirm summary").click()
    browser.find_element(By.CSS_SELECTOR, "details.confirm button").click()
    arrived(browser, "/list/services")
    assert httpx.get(f"{served.url}{ROOT}/services/made-here").status_code == 404


def test_a_pool_and_a_static_address_are_made_and_changed_by_forms(browser, served):
    pools, statics = "/apis/fairlead.io/v1/addresspools", "/apis/fairlead.io/v1/namespaces/default/staticaddresses"
    with httpx.Client(base_url=served.url, timeout=30) as api:
        try:
            opened(browser, served, "new/addresspools")
            assert "CIDRs such as 198.18.0.0/16" in text(browser, "form.fields")
            fill(browser, name="by-form", scope="external", addresses="203.0.113.0/28", namespaces="team=shop")
            until(lambda: "203.0.113.0/28" in value(browser, "#text"))
            press(browser, "save")
            arrived(browser, "/object/addresspools/-/by-form")
            spec = {"scope": "external", "addresses": ["203.0.113.0/28"], "autoAssign": True}
            spec |= {"namespaceSelector": {"matchLabels": {"team": "shop"}}}
            assert api.get(f"{pools}/by-form").json()["spec"] == spec
            opened(browser, served, "edit/addresspools/-/by-form")
            browser.find_element(By.NAME, "namespaces").clear()
            fill(browser, addresses=", 203.0.113.32/28", auto_assign="false")
            until(lambda: "203.0.113.32/28" in value(browser, "#text"))
            press(browser, "preview")
            until(lambda: "203.0.113.32/28" in text(browser, "#preview"))
            script = "return [...document.querySelectorAll('#preview ins')].map(each => each.innerText)"
            added = {line.replace(" ", "") for line in browser.execute_script(script)}
            assert {"+-203.0.113.32/28", "+autoAssign:false"} <= added
            press(browser, "save")
            arrived(browser, "/object/addresspools/-/by-form")
            found = api.get(f"{pools}/by-form").json()["spec"]
            assert found["addresses"] == ["203.0.113.0/28", "203.0.113.32/28"]
            assert (found["autoAssign"], "namespaceSelector" in found) == (False, False)
            opened(browser, served, "new/staticaddresses")
            fill(browser, name="by-form", pool="by-form", address="203.0.113.34")
            until(lambda: "203.0.113.34" in value(browser, "#text"))
            press(browser, "save")
            arrived(browser, "/object/staticaddresses/default/by-form")
            until(lambda: api.get(f"{statics}/by-form").json()["status"].get("address") == "203.0.113.34")
        finally:
            for path in (f"{statics}/by-form", f"{pools}/by-form"):
                assert api.delete(path).status_code in (200, 404)


def test_a_form_that_cannot_be_read_loses_nothing(browser, served):
    opened(browser, served, "new/services")
    before = value(browser, "#text")
    fill(browser, name="wrong", ports="eighty")
    until(lambda: "'eighty' is no port" in text(browser, "#preview"))
    assert value(browser, "#text") == before


def test_what_is_wrong_is_told_beside_the_form(browser, served):
    opened(browser, served, "new/services")
    wrong = "apiVersion: v1\nkind: Service\nmetadata: {name: wrong}\nspec: {ports: [{port: 99999}]}\n"
    write(browser, "#text", wrong)
    press(browser, "save")
    until(lambda: "spec.ports[0].port" in text(browser, "#preview"))
    assert browser.current_url.endswith("/new/services")
