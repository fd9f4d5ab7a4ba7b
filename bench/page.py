"""
A channel of 2,000 messages on the sandbox's page: `python -m bench.page [MESSAGES]`, from the repository's root.

Measured in headless Chromium, without a graphics card: how long until the newest messages are drawn, the longest frame
while one scrolls to the oldest and back at 400 pixels a frame, how long until a new message is on the screen, and the
tasks of over 50 ms while twenty come at once. A frame on a screen of 60 Hz is 17 ms.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import time
from typing import Any

from playwright.async_api import Page, async_playwright

from sandbox.driver import Sandbox

WORDS = ["the", "order", "is", "ready", "please", "tell", "them", "that", "we", "wait", "until", "eight"]

SCROLL = """async ({ want, step }) => {
    const scroller = document.querySelector("#messages .messages");
    const frames = [];
    let last = performance.now();
    for (let still = 0; still < 30;) {
        const before = scroller.scrollTop;
        scroller.scrollTop += step;
        await new Promise(requestAnimationFrame);
        frames.push(performance.now() - last);
        last = performance.now();
        const isWhole = document.querySelectorAll("#messages .message").length >= want;
        still = isWhole && scroller.scrollTop === before ? still + 1 : 0;
    }
    return frames;
}"""

WATCH = """(words) => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((one) => one.duration)))
        .observe({ type: "longtask" });
    window.shown = new Promise((resolve) => {
        const list = document.querySelector("#messages ol");
        new MutationObserver((_, observer) => {
            if (!list.lastElementChild.textContent.includes(words)) return;
            observer.disconnect();
            requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
        }).observe(list, { childList: true });
    });
}"""


async def main(messages: int) -> None:
    async with Sandbox.start() as sandbox, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        ana, ben = sandbox.person("ana"), sandbox.person("ben")
        for number in range(messages):
            words = " ".join(random.choices(WORDS, k=3 + number % 25))
            await (ana, ben)[number // 3 % 2].posts("#support", f"Message {number}: *{words}* :wave:")
        page = await browser.new_page(viewport={"width": 1400, "height": 900})
        began = time.monotonic()
        await page.goto(f"{sandbox.url}/?as=ana#C0SUPPORT01")
        await page.get_by_text(f"Message {messages - 1}:").wait_for()
        print(f"{messages} messages: the newest are drawn after {(time.monotonic() - began) * 1000:.0f} ms")
        for name, step in (("to the oldest", -400), ("and back", 400)):
            frames = await page.evaluate(SCROLL, {"want": messages, "step": step})
            print(f"{name:>14}: longest frame {max(frames):.0f} ms, median {statistics.median(frames):.0f} ms")
        times = [await shown_after(page, sandbox, f"Fresh {number}") for number in range(10)]
        print(f"a new one is shown after {statistics.median(times):.0f} ms (median), {max(times):.0f} ms (longest)")
        await page.evaluate(WATCH, "Quick 19")
        for number in range(20):
            await ben.posts("#support", f"Quick {number}")
        await page.evaluate("window.shown")
        tasks = await page.evaluate("window.tasks")
        print(f"twenty at once: {len(tasks)} tasks of over 50 ms, the longest {max(tasks, default=0):.0f} ms")


async def shown_after(page: Page, sandbox: Sandbox, words: str) -> float:
    """Return milliseconds from a post to the frame that shows it."""
    await page.evaluate(WATCH, words)
    began = time.time() * 1000
    await sandbox.person("ben").posts("#support", words)
    shown: Any = await page.evaluate("window.shown")
    return float(shown) - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messages", type=int, nargs="?", default=2000)
    given = parser.parse_args()
    asyncio.run(main(given.messages))
