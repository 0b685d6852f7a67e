"""What tests do with a page in a browser."""

from contextlib import contextmanager

from axe_core_python.selenium import Axe
from selenium.webdriver.common.by import By

from tests.e2e.waiting import until


def opened(browser, served, path):
    browser.get(f"{served.url}/console/{path}")
    until(lambda: browser.execute_script("return document.readyState") == "complete")


def arrived(browser, ending):
    """Waits until a page is there, and not only its address."""
    until(
        lambda: browser.execute_script(
            "return document.readyState === 'complete' && location.pathname.endsWith(arguments[0])", ending
        )
    )


# A change may replace an element at any moment, so it is found and used in one step.


def text(browser, selector="main"):
    return browser.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)


def value(browser, selector):
    return browser.execute_script("return document.querySelector(arguments[0])?.value ?? ''", selector)


def is_shown(browser, selector):
    return browser.execute_script("return document.querySelector(arguments[0])?.checkVisibility() ?? false", selector)


def write(browser, selector, content):
    browser.execute_script("document.querySelector(arguments[0]).value = arguments[1]", selector, content)


def press(browser, action):
    browser.find_element(By.CSS_SELECTOR, f'button[value="{action}"]').click()


def fill(browser, **fields):
    """Write into fields of the form, and have it write the YAML."""
    form = browser.find_element(By.CSS_SELECTOR, "form.fields")
    for name, content in fields.items():
        form.find_element(By.NAME, name).send_keys(content)
    form.find_element(By.TAG_NAME, "button").click()


def faults(browser):
    """What a screen reader, or somebody who sees little contrast, would stumble over."""
    found = Axe().run(browser)["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


@contextmanager
def darkness(browser):
    """A user who asks for dark pages."""
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
