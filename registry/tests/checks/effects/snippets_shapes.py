"""Snippets: the same few effects behind every shape that code can give them."""

from .snippets import PURE, READS, WRITES, Snippet

__all__ = ["SHAPES"]

SHAPES = [
    Snippet("alias", "z = self.c\nawait z.put('/x')", WRITES),
    Snippet("bound method", "go = self.c.put\nawait go('/x')", WRITES),
    Snippet("getattr constant", "await getattr(self.c, 'pu' + 't')('/x')", WRITES),
    Snippet("getattr computed", "await getattr(self.c, key)('/x')", PURE, top=True),
    Snippet("getattr on data", "return getattr(value, key)", PURE),
    Snippet("getattribute", "await self.c.__getattribute__('put')('/x')", WRITES),
    Snippet("through the class", "await httpx.AsyncClient.put(self.c, '/x')", WRITES),
    Snippet("through type()", "await type(self.c).put(self.c, '/x')", WRITES),
    Snippet("partial", "import functools as f\nawait f.partial(self.c.put, '/x')()", WRITES),
    Snippet(
        "partial of request",
        "from functools import partial\nq = partial(self.c.request, 'PUT')\nawait q('/x')",
        WRITES,
    ),
    Snippet("lambda", "await (lambda c: c.put('/x'))(self.c)", WRITES),
    Snippet("closure", "def go():\n    return self.c.put('/x')\nawait go()", WRITES),
    Snippet(
        "closure over a method name",
        """
        def make(method):
            async def go():
                await self.c.request(method, "/x")
            return go
        await make("GET")()
        """,
        READS,
    ),
    Snippet("list", "cs = [self.c]\nawait cs[0].put('/x')", WRITES),
    Snippet("list of unknown index", "cs = [None, self.c]\nawait cs[len(key)].put('/x')", WRITES),
    Snippet("dict", "d = {'c': self.c}\nawait d['c'].put('/x')", WRITES),
    Snippet("dict of values", "for c in {'c': self.c}.values():\n    await c.put('/x')", WRITES),
    Snippet("items", "for n, c in {'c': self.c}.items():\n    await c.put('/x')", WRITES),
    Snippet(
        "dispatch table, the read",
        "t = {'r': self.c.get, 'w': self.c.put}\nawait t['r']('/x')",
        READS,
    ),
    Snippet(
        "dispatch table, unknown key",
        "t = {'r': self.c.get, 'w': self.c.put}\nawait t[key]('/x')",
        WRITES,
    ),
    Snippet("tuple unpacking", "a, (b, *_) = 1, (self.c, 2)\nawait b.put('/x')", WRITES),
    Snippet("walrus", "await (z := self.c).put('/x')", WRITES),
    Snippet("conditional", "await (self.c.put if key else self.c.get)('/x')", WRITES),
    Snippet("or", "await (value or self.c).put('/x')", WRITES),
    Snippet(
        "error path",
        "try:\n    return await self.c.get(key)\nexcept Exception:\n    await self.c.delete(key)",
        WRITES,
    ),
    Snippet("finally", "try:\n    return 1\nfinally:\n    await self.c.delete(key)", WRITES),
    Snippet(
        "match arm",
        """
        match value:
            case {"a": a}:
                return a
            case _:
                await self.c.delete(key)
        """,
        WRITES,
    ),
    Snippet("while else", "while key:\n    break\nelse:\n    await self.c.put('/x')", WRITES),
    Snippet("comprehension", "return [await c.put('/x') for c in [self.c]]", WRITES),
    Snippet("default argument", "def f(go=self.c.put):\n    return go('/x')\nawait f()", WRITES),
    Snippet(
        "executor",
        """
        import concurrent.futures, requests
        with concurrent.futures.ThreadPoolExecutor() as pool:
            pool.submit(requests.put, "https://a.example.com", data=value).result()
        """,
        WRITES,
        sinks=("PUT https://a.example.com",),
    ),
    Snippet(
        "to_thread",
        "import asyncio\nawait asyncio.to_thread(self.work, 'POST')",
        WRITES,
        members="def work(self, m):\n    httpx.request(m, 'https://a.example.com')",
    ),
    Snippet(
        "run_in_executor with a read",
        """
        import asyncio, functools
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, functools.partial(self.work, method="GET"))
        """,
        READS,
        members="def work(self, *, method):\n    httpx.request(method, 'https://a.example.com')",
    ),
    Snippet(
        "thread",
        "import threading\nthreading.Thread(target=self.work, args=('PUT',)).start()",
        WRITES,
        members="def work(self, m):\n    httpx.request(m, 'https://a.example.com')",
    ),
    Snippet(
        "thread subclass",
        "T().start()",
        WRITES,
        around="""
        import threading, os
        class T(threading.Thread):
            def run(self):
                os.remove("x")
        """,
    ),
    Snippet("map", "list(map(httpx.delete, [key]))", WRITES),
    Snippet(
        "gather", "import asyncio\nawait asyncio.gather(self.c.get(key), self.c.put('/x'))", WRITES
    ),
    Snippet(
        "operator", "import operator\nawait operator.methodcaller('put', '/x')(self.c)", WRITES
    ),
    Snippet(
        "attrgetter", "import operator\nawait operator.attrgetter('c.put')(self)('/x')", WRITES
    ),
]
