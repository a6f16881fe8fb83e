"""What tests in several rooms share."""

from __future__ import annotations

import os
import shutil

import pytest

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium, or the one that SUREFOOT_CHROMIUM names."""
    chromium = os.environ.get("SUREFOOT_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on the PATH, and SUREFOOT_CHROMIUM names none")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server with an empty database; each test worker has its own."""
    from postgresql import Server, programs

    folder = programs()
    if folder is None:
        pytest.skip("there is no PostgreSQL server, and SUREFOOT_POSTGRESQL names none")
    server = Server(folder)
    try:
        yield server.start()
    finally:
        server.remove()


class Visit:
    """A page in the browser, and everything that it asked for or complained about."""

    def __init__(self, browser, address: str, width: int, scheme: str = "light") -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def visit(browser):
    """``visit(path, width)`` opens a file in the browser."""
    made: list[Visit] = []

    def go(path, width: int = 1200, scheme: str = "light") -> Visit:
        made.append(Visit(browser, path.resolve().as_uri(), width, scheme))
        return made[-1]

    yield go
    for one in made:
        one.page.close()
