"""What tests do with a page in a browser."""

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
