"""One scenario in a process with virtual time: `python virtual_time_scenarios.py AGENT NAME`.

It prints how long the scenario took in the case's own time and what it raised. Run as a program,
because virtual time replaces the process's clocks for good.
"""

import importlib.util
import socket
import sys
from typing import Any


def load_agent(folder: str) -> None:
    """The agent by path, as the lab loads it."""
    spec = importlib.util.spec_from_file_location(
        "flows_agent", f"{folder}/__init__.py", submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["flows_agent"] = module
    spec.loader.exec_module(module)


def silent_server() -> str:
    """A server that accepts and never answers."""
    server = socket.create_server(("127.0.0.1", 0))
    SERVERS.append(server)
    return f"http://127.0.0.1:{server.getsockname()[1]}/"


SERVERS: list[socket.socket] = []


def a_byte_each_second(keeper: Any, path: str) -> None:
    """A server that is woken right after the keeper looked whether it works; each time after
    another of the keeper's looks."""
    import threading

    from flows_agent import timekeeper  # type: ignore[import-not-found]
    from flows_agent.page import NEVER, Page  # type: ignore[import-not-found]

    class Watched(Page):
        looks = -1

        @property
        def busy(self) -> int:
            working = super().busy
            if self.due <= self.now:
                self.looks -= 1
                if self.looks == 0:
                    Page.busy.fset(self, 1)
                    self.due = NEVER
            return working

    page = Watched(path)
    Page.busy.fset(page, 1)
    keeper._page = page
    here, there = socket.socketpair()
    here.settimeout(1.5)

    def serve() -> None:
        for step in range(20):
            page.looks = step % 10 + 1
            page.due, Page(path).busy = page.now + 1, 0
            while page.due != NEVER:
                timekeeper._real_sleep(0.02)  # in which it is woken
            timekeeper._real_sleep(0.02)  # in which it works
            there.sendall(b".")

    threading.Thread(target=serve, daemon=True).start()
    for _ in range(20):
        here.recv(1)


def main(agent: str, name: str, page_path: str) -> None:
    load_agent(agent)
    from flows_agent import patches, perturb, timekeeper  # type: ignore[import-not-found]
    from flows_agent.page import NEVER, ORIGIN_SECONDS, Page  # type: ignore[import-not-found]

    perturb.apply({})
    import asyncio
    import os
    import threading
    import time
    import urllib.request

    import boto3
    import httpx
    from botocore.config import Config

    url = silent_server()

    def hung() -> None:
        print("hung", flush=True)
        os._exit(0)

    def many_threads() -> None:
        threads = [threading.Thread(target=time.sleep, args=(n * 100,)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    async def httpx_async() -> None:
        async with httpx.AsyncClient(timeout=45) as client:
            await client.get(url)

    def boto(attempts: int) -> None:
        client = boto3.client(
            "s3", endpoint_url=url, region_name="auto",
            aws_access_key_id="a", aws_secret_access_key="b",
            config=Config(read_timeout=60, retries={"total_max_attempts": attempts}),
        )  # fmt: skip
        client.get_object(Bucket="b", Key="k")

    def after_a_lost_pause() -> None:
        keeper.pausing.add(0)  # of a thread that was no more when its pause would have ended
        keeper.restart()
        time.sleep(3600)

    scenarios = {
        "sleep": lambda: time.sleep(3600),
        "asyncio": lambda: asyncio.run(asyncio.sleep(3600)),
        "event": lambda: threading.Event().wait(100),
        "threads": many_threads,
        "urllib": lambda: urllib.request.urlopen(url, timeout=60),
        "httpx": lambda: httpx.get(url, timeout=60),
        "httpx async": lambda: asyncio.run(httpx_async()),
        "boto3": lambda: boto(1),
        "no timeout": lambda: urllib.request.urlopen(url),
        "slow server": lambda: a_byte_each_second(keeper, page_path),
        "next case": after_a_lost_pause,
    }
    page = Page(page_path)
    page.now, page.due, page.busy = ORIGIN_SECONDS, NEVER, 0
    keeper = timekeeper.Timekeeper(page, frozenset(), hung)
    patches.follow(keeper)
    keeper.start()
    start = time.time()
    raised = ""
    try:
        scenarios[name]()
    except Exception as error:
        raised = type(error).__name__
    print(f"{time.time() - start:.1f} {raised}".strip(), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
