"""What surrounds an operation: opening, closing, places, ambient reads, and what cannot be read."""

import os
import shutil
import subprocess
import sys
import textwrap
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from core_caps.claims.lattice import Effects
from flows_registry.checks.effects.static import CLOSING, OPENING, Derived, derive

pytestmark = pytest.mark.feature("P4-01", "CK-01")


def provider(folder: Path, source: str, *operations: str) -> dict[str, Derived]:
    (folder / "p.py").write_text(textwrap.dedent(source))
    return dict(derive(folder, "p:P", operations or ("run",)))


def test_opening_and_closing_are_told_apart_from_operations(tmp_path: Path) -> None:
    found = provider(
        tmp_path,
        """
        import os, httpx
        os.makedirs("cache")
        class P:
            def __init__(self, config, *, clock, rng): open("log", "a")
            async def __aenter__(self):
                self.c = httpx.AsyncClient()
                await self.c.get("https://a.example.com/health")
                return self
            async def __aexit__(self, *e): await self.c.post("https://a.example.com/bye")
            async def run(self): return 1
        """,
    )
    assert found["run"].effects is Effects.PURE
    assert {sink.method for sink in found[OPENING].sinks} == {"makedirs", "a", "GET"}
    assert [sink.method for sink in found[CLOSING].sinks] == ["POST"]


def test_a_finding_says_where_and_by_which_way(tmp_path: Path) -> None:
    found = provider(
        tmp_path,
        """
        import httpx
        class P:
            async def __aenter__(self):
                self.c = httpx.AsyncClient(base_url="https://api.example.com:8443/v4/")
                return self
            async def _request(self, method, path):
                return await self.c.request(method, path)
            async def run(self, key):
                return await self._request("POST", f"/ns/{key}/bulk/get?x=1")
        """,
    )
    (sink,) = found["run"].sinks
    assert sink.path == ("run", "_request", "self.c.request")
    assert str(sink.location) == "p.py:8"
    assert (sink.method, sink.url) == ("POST", "https://api.example.com:8443/v4/ns/*/bulk/get")
    assert found["run"].hosts == ("api.example.com:8443",)


def test_operations_are_told_apart_in_one_shared_request(tmp_path: Path) -> None:
    found = provider(
        tmp_path,
        """
        import httpx
        VERBS = {"read": "GET", "write": "PUT"}
        class P:
            def __init__(self): self.c = httpx.Client()
            def _go(self, what, **options): return self.c.request(VERBS[what], "/x", **options)
            def read(self): return self._go("read", headers={})
            def write(self, value): return self._go("write", content=value)
            def either(self, what): return self._go(what)
        """,
        "read",
        "write",
        "either",
    )
    assert [str(found[name].effects) for name in ("read", "write")] == ["read_only", "effectful"]
    assert {sink.method for sink in found["either"].sinks} == {"GET", "PUT"}


@pytest.mark.feature("W2-02")
@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("__import__('time').time()", "clock"),
        ("datetime.datetime.now(tz=None)", "clock"),
        ("uuid.uuid4()", "rng"),
        ("random.random()", "rng"),
        ("os.environ['X']", "env"),
        ("os.environ.get('X')", "env"),
        ("os.getcwd()", "cwd"),
        ("os.listdir('.')", "listing"),
        ("list(pathlib.Path('.').glob('*'))", "listing"),
        ("hash(key)", "hash"),
        ("id(key)", "id"),
        ("list({1, 2})", "hash"),
        ("locale.getlocale()", "locale"),
        ("functools.partial(time.time)()", "clock"),
        ("[f() for f in (time.monotonic,)]", "clock"),
    ],
)
def test_ambient_reads_are_named(tmp_path: Path, expression: str, kind: str) -> None:
    found = provider(
        tmp_path,
        f"""
        import datetime, functools, locale, os, pathlib, random, time, uuid
        class P:
            def run(self, key): return {expression}
        """,
    )
    assert kind in {read.kind for read in found["run"].ambient}


@pytest.mark.parametrize("expression", ["sorted({1, 2})", "self.clock.now()", "self.rng.random()"])
def test_what_is_given_or_sorted_is_not_ambient(tmp_path: Path, expression: str) -> None:
    found = provider(
        tmp_path,
        f"""
        from core_caps.clock import Clock
        from core_caps.rng import Rng
        class P:
            def __init__(self, config, *, clock: Clock, rng: Rng):
                self.clock, self.rng = clock, rng
            def run(self): return {expression}
        """,
    )
    assert found["run"] == Derived(Effects.PURE)


def test_places_of_one_line_are_kept_apart(tmp_path: Path) -> None:
    line = "return getattr(self.c, key) if key else getattr(self.c, name)"
    found = provider(
        tmp_path,
        f"""
        import httpx
        class P:
            def __init__(self): self.c = httpx.Client()
            def run(self, key, name):
                {line}
        """,
    )
    (text,) = [row for row in (tmp_path / "p.py").read_text().splitlines() if line in row]
    spans = [top.span for top in found["run"].top]
    assert {text[span[1] : span[3]] for span in spans if span is not None} == {
        "getattr(self.c, key)", "getattr(self.c, name)",
    }  # fmt: skip
    assert len({top.location for top in found["run"].top}) == 1


def test_what_is_missing_or_unreadable_is_top(tmp_path: Path) -> None:
    assert provider(tmp_path, "x = 1")["run"].top
    assert provider(tmp_path, "class P: pass")["run"].top
    assert provider(tmp_path, "class P:\n  def run(self): return (")[OPENING].top
    assert derive(tmp_path, "nowhere:P", ["run"])["run"].top
    assert derive(tmp_path, "p:", ["run"])["run"].top


def test_compiled_modules_are_top(tmp_path: Path) -> None:
    (tmp_path / "fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"")
    source = "import fast\nclass P:\n    def run(self): return fast.go()\n"
    assert any("compiled" in top.reason for top in provider(tmp_path, source)[OPENING].top)


def test_nothing_is_imported_or_run(tmp_path: Path) -> None:
    provider(tmp_path, "raise SystemExit('it ran')\nclass P:\n    def run(self): return 1\n")
    assert "p" not in sys.modules


def test_endless_code_ends(tmp_path: Path) -> None:
    found = provider(
        tmp_path,
        """
        class N:
            def __init__(self, next): self.next = next
        class P:
            def run(self, n): return self.grow(N(None), "x", [])
            def grow(self, node, text, kept):
                while True:
                    kept.append(node)
                    text += "x"
                    node = self.grow(N(node), text + "y", [kept])
        """,
    )
    assert found["run"].effects is Effects.PURE


def test_deep_expressions_end(tmp_path: Path) -> None:
    deep = "+".join(["'a'"] * 3000)
    found = provider(tmp_path, f"class P:\n    def run(self): return {deep}\n")
    assert found["run"].top or found[OPENING].top


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry",
    ["httpx:AsyncClient:get", "boto3.session:Session:client", "aiohttp.client:ClientSession:get"],
)
def test_large_libraries_neither_crash_nor_hang(tmp_path: Path, entry: str) -> None:
    module, cls, operation = entry.split(":")
    spec = find_spec(module.split(".")[0])
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("data", "*.so"))
    started = time.process_time()
    found = derive(tmp_path, f"{module}:{cls}", [operation])
    assert found[operation].ceiling >= Effects.PURE
    assert time.process_time() - started < 60


def test_two_derivations_say_the_same(tmp_path: Path) -> None:
    """The evidence of a certificate must not depend on hash seeds."""
    source = """
    import os, socket, httpx
    class P:
        def __init__(self): self.c = httpx.Client(base_url="https://a.example.com")
        def run(self, key):
            for verb in {"PUT", "GET", "DELETE"}:
                self.c.request(verb, os.environ[key])
            socket.create_connection((key or "b.example.com", 80))
    """
    (tmp_path / "p.py").write_text(textwrap.dedent(source))
    code = (
        "from pathlib import Path; from flows_registry.checks.effects.static import derive;"
        f"print(derive(Path({str(tmp_path)!r}), 'p:P', ['run'])['run'])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


@pytest.mark.parametrize(
    "imported",
    [
        "from core_caps.http.exchange import Call, Exchange",
        "from core_caps.http import exchange; Call, Exchange = exchange.Call, exchange.Exchange",
        "from core_caps.http.exchange import *",
    ],
)
def test_what_plugins_share_is_followed_as_their_own(tmp_path: Path, imported: str) -> None:
    found = provider(
        tmp_path,
        f"""
        {imported}
        class P:
            Config = None
            def __init__(self, config, *, clock, rng): self.service, self.clock = config, clock
            async def __aenter__(self):
                self.exchange = Exchange(self.service, self.clock)
                return self
            async def _send(self, method):
                return await self.exchange.send(Call("x", method, "/", False, len, 9))
            async def read(self): return await self._send("GET")
            async def write(self): return await self._send("PUT")
        """,
        "read",
        "write",
    )
    assert found["read"].effects is Effects.READ_ONLY
    assert found["write"].effects is Effects.EFFECTFUL
    assert {sink.location.file for sink in found["write"].sinks} == {"core_caps/http/exchange.py"}
    assert found["write"].top == ()


def test_what_plugins_share_is_never_harmless_by_another_name(tmp_path: Path) -> None:
    found = provider(
        tmp_path,
        """
        import core_caps.http.transports
        class P:
            def run(self): return core_caps.http.transports.open_transport("auto", tls=True)
        """,
    )
    assert found["run"].top
