"""Chromium without a window, for tests of what people see."""

import contextlib
import shutil

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


@contextlib.contextmanager
def chromium():
    """A browser that keeps what its console said and what it refused."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert program, "these tests need Debian's package chromium"
    assert driver, "these tests need Debian's package chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    browser.set_window_size(1400, 1000)
    try:
        yield browser
    finally:
        browser.quit()
