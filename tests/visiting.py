"""How a person comes to a page in a real browser, and what the page must not do meanwhile."""

from typing import Any

from playwright.sync_api import Page


def log_in(page: Page, service: Any, name: str = "ada") -> None:
    """Log in on the page to which whoever is not logged in is led."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(service.password)
    page.keyboard.press("Enter")


def problems_of(page: Page) -> list[str]:
    """Return a list that fills with what goes wrong on the page: errors of scripts, and what its policy refuses."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    return problems
