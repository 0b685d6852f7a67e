"""/docs and /redoc in a real browser."""

import pytest
from selenium.webdriver.common.by import By

from tests.chromium import chromium
from tests.e2e.waiting import until

LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
"""Redoc asks for it, and its page refuses it."""


@pytest.fixture(scope="module")
def browser():
    """A Chromium that tells what it refused and what it loaded."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser, product):
    """Opens a page; after the test nothing has been refused, and nothing came from elsewhere."""
    browser.get_log("browser")

    def go(path):
        browser.get(product.url + path)
        return browser

    yield go
    assert [
        line["message"]
        for line in browser.get_log("browser")
        if line["level"] == "SEVERE" and LOGO not in line["message"]
    ] == []
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert [url for url in loaded if not url.startswith((product.url, "data:", "blob:", LOGO))] == []


def test_swagger_ui_opens_on_services_with_examples(opened):
    page = opened("/docs")
    sections = until(lambda: page.find_elements(By.CSS_SELECTOR, ".opblock-tag-section"), timeout=30)
    until(lambda: page.find_elements(By.CSS_SELECTOR, ".opblock-tag-section.is-open .opblock"), timeout=30)
    opened_ones = page.find_elements(By.CSS_SELECTOR, ".opblock-tag-section.is-open")
    assert [each.find_element(By.CSS_SELECTOR, ".opblock-tag").get_attribute("data-tag") for each in opened_ones] == [
        "Service"
    ]
    assert sections[0].find_element(By.CSS_SELECTOR, ".opblock-tag").get_attribute("data-tag") == "Service"
    page.find_element(By.CSS_SELECTOR, ".is-open .opblock-post .opblock-summary-control").click()
    example = until(lambda: page.find_elements(By.CSS_SELECTOR, ".opblock-post .body-param__example"), timeout=30)[0]
    assert "LoadBalancer" in example.text


def test_redoc_shows_services_first(opened):
    page = opened("/redoc")
    first = until(lambda: page.find_elements(By.CSS_SELECTOR, "[data-item-id^='tag/']"), timeout=60)[0]
    assert first.get_attribute("data-item-id") == "tag/Service"
