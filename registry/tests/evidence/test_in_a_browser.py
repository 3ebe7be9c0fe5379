"""The report in a real browser: it loads from the file, by day and by night, wide and narrow, with
and without scripts; the keyboard reaches what the pointer does; contrast is enough."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flows_registry.evidence.writing import write
from playwright.sync_api import Browser, sync_playwright

pytestmark = [pytest.mark.feature("AC-07"), pytest.mark.slow]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (color, under) => {
    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (parts) => {
    const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = parts.map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
    return "white";
  };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = element instanceof SVGElement ? style.fill : style.color;
    const back = rgb(behind(element), "white");
    const [a, b] = [light(rgb(ink, `rgb(${back})`)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium; without one nothing here is proved, and the run says so."""
    named = [os.environ.get("FLOWS_CHROMIUM"), *map(shutil.which, BROWSERS)]
    path = next(filter(None, named), None)
    if path is None:
        pytest.skip("no Chromium: install one (`apt-get install chromium`) or name FLOWS_CHROMIUM")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module", params=["certified", "refused"])
def address(
    request: pytest.FixtureRequest, sample: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> str:
    folder: Path = tmp_path_factory.mktemp("report") / "evidence"
    write(getattr(sample, request.param)(), folder)
    return (folder / "report.html").as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_readable(browser: Browser, address: str, scheme: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda failed: troubles.append(failed.url))
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate(CONTRASTS) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 22)"
    assert dark == (scheme == "dark")
    assert troubles == []
    page.close()


def test_it_is_read_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.get_by_role("heading", level=1).inner_text().startswith("cap-x")
    assert page.get_by_role("row", name="status 500").is_visible()
    assert page.get_by_text("Choose a cell").count() == 0 or page.locator(".told").is_hidden()
    context.close()


def test_the_keyboard_moves_through_the_grid(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    cells = page.locator("[data-cell]")
    page.locator('[data-cell][tabindex="0"]').focus()
    told = page.locator(".told")
    first = told.inner_text()
    assert " meets " in first
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.tagName") == "TD"
    cells.first.focus()
    assert told.inner_text().startswith("get meets status 500")
    assert page.locator('[data-cell][tabindex="0"]').count() == 1
    page.close()


def test_what_a_plugin_says_runs_nowhere(
    browser: Browser, sample: ModuleType, tmp_path: Path
) -> None:
    made = sample.refused()
    script = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    checks = [
        replace(check, findings=tuple(replace(f, message=script) for f in check.findings))
        for check in made.checks
    ]
    write(replace(made, subject=script, checks=tuple(checks)), tmp_path / "evidence")
    page = browser.new_page()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto((tmp_path / "evidence" / "report.html").as_uri())
    assert page.title().startswith("</script>")
    assert page.locator("img").count() == 0
    page.close()
