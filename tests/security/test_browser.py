"""The pages in a real browser: they load nothing from elsewhere, and their policies block nothing that they need."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from assessment.service import application as assessment
from edge import Application
from edge.callers import Callers
from edge.testing import founding, issuer, served, told
from events.migrate import migrate
from events.runtime import open_runtime
from events.settings import Settings
from local.testing import database
from notifications.service import application as notifications
from playwright.async_api import Browser, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
NO_KAFKA = "127.0.0.1:9"
PAGES = [
    (notifications, "/live", "#picture .box"),
    (assessment, "/board.html", "h1"),
    (assessment, "/docs", ".opblock"),
    (notifications, "/docs", ".opblock"),
]
VIOLATIONS = """window.violations = [];
document.addEventListener("securitypolicyviolation", (it) => {
    violations.push(`${it.violatedDirective} ${it.blockedURI}`);
});"""

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def founded(application: Application, postgres_server: str) -> AsyncGenerator[str]:
    """Where a founded service answers."""
    async with database(postgres_server, application.service.name) as url:
        settings = Settings(url, NO_KAFKA)
        await migrate(application.service, settings)
        await told(url, *founding())
        async with (
            open_runtime(application.service, settings) as runtime,
            served(application.api(runtime, Callers(issuer()))) as address,
        ):
            yield address


@pytest.mark.parametrize(
    ("application", "path", "shows"), PAGES, ids=[f"{it.service.name}{path}" for it, path, _ in PAGES]
)
async def test_a_page_shows_what_it_is_for_loads_nothing_from_elsewhere_and_is_hindered_by_nothing(
    postgres_server: str, browser: Browser, application: Application, path: str, shows: str
) -> None:
    async with founded(application, postgres_server) as url:
        page = await browser.new_page()
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.add_init_script(VIOLATIONS)
        answer = await page.goto(url + path)
        assert answer
        assert answer.status == 200
        await page.locator(shows).first.wait_for()
        if path == "/docs":
            await page.locator(".opblock-summary").first.click()
            await page.locator(".opblock-body").first.wait_for()
        await asyncio.sleep(0.5)  # what a page does late, it has begun by now
        assert await page.evaluate("violations") == []
        assert [it for it in said if "Content Security Policy" in it or "Error" in it] == []
        assert [it for it in asked if not it.startswith((url, "data:"))] == []
        await page.close()


HANGING = """() => [...document.querySelectorAll("#picture .box")].flatMap((box) => {
    const card = box.querySelector(".card").getBBox();
    return [...box.querySelectorAll(".chip")].filter((chip) => {
        const {y, height} = chip.querySelector("rect").getBBox();
        return y + height > card.y + card.height;
    }).map((chip) => chip.textContent);
})"""
STEPS = """() => [...document.querySelectorAll("#picture .chip")].map((chip) => chip.textContent)"""


@pytest.mark.parametrize("width", [1280, 400])
async def test_the_live_view_keeps_everything_within_its_boxes_and_shows_each_step_of_a_case(
    postgres_server: str, browser: Browser, width: int
) -> None:
    async with founded(notifications, postgres_server) as url:
        page = await browser.new_page(viewport={"width": width, "height": 900})
        await page.goto(f"{url}/live")
        await page.locator("#picture .box").first.wait_for()
        assert await page.evaluate(HANGING) == []
        drawn = " ".join(await page.evaluate(STEPS))
        assert width < 500 or all(step in drawn for step in ("上报", "派遣", "核查", "结案")), drawn
        await page.close()


@asynccontextmanager
async def elsewhere() -> AsyncGenerator[tuple[str, list[bytes]]]:
    """Somebody else's server, and what reached it."""
    reached: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", reached


ADDED = """async (elsewhere) => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    for (const tag of ["script", "img", "iframe"]) {
        const made = document.createElement(tag);
        made.src = `${elsewhere}/${tag}`;
        document.body.append(made);
    }
    return fetch(`${elsewhere}/fetch`, {mode: "no-cors"}).then(() => "sent", () => "held");
}"""


@pytest.mark.parametrize(
    ("application", "path"), [it[:2] for it in PAGES[:3]], ids=[f"{it.service.name}{path}" for it, path, _ in PAGES[:3]]
)
async def test_what_gets_into_a_page_is_not_run_and_reaches_nobody(
    postgres_server: str, browser: Browser, application: Application, path: str
) -> None:
    """As if somebody had found a way to put markup into it."""
    async with founded(application, postgres_server) as url, elsewhere() as (other, reached):
        page = await browser.new_page()
        await page.goto(url + path)
        assert await page.evaluate(ADDED, other) == "held"
        await asyncio.sleep(0.5)
        assert await page.evaluate("window.ran") is None
        assert reached == []
        await page.close()
