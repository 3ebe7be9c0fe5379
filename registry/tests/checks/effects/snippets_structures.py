"""Snippets: effects behind classes, functions and modules."""

from .snippets import PURE, READS, WRITES, Snippet

__all__ = ["STRUCTURES"]

_PUT = 'self.c.put("/x")'

STRUCTURES = [
    Snippet(
        "a handle lent to jobs that a thread takes from a queue",
        "self.start()\nself.jobs.put(Job(lambda c: c.put('/x')))",
        WRITES,
        around="""
        import queue, threading
        class Job:
            def __init__(self, job):
                self.job = job
        """,
        members="""
        def start(self):
            self.jobs = queue.SimpleQueue()
            threading.Thread(target=self.work).start()
        def work(self):
            while (waiting := self.jobs.get()) is not None:
                self.serve(self.c, waiting)
        def serve(self, connection, waiting):
            waiting.job(connection)
            print(lambda: waiting)
        """,
    ),
    Snippet(
        "an item of a tuple by a name",
        "await self.both().first.put('/x')",
        WRITES,
        members="def both(self):\n    return (self.c, 1)",
    ),
    Snippet(
        "fields read of what might be a list",
        "self.take(key)\nself.put(M(key, value))\nawait self.c.get('/x')",
        READS,
        around="""
        import dataclasses
        @dataclasses.dataclass
        class M:
            key: str
            due: float
            turn: int = 0
        held: dict[str, M] = {}
        leases: dict[str, tuple[str, float]] = {}
        """,
        members="""
        def put(self, m):
            held[m.key] = m
            leases[m.key] = (m.key, m.due)
            m.due = leases[m.key][1]
        def take(self, lease):
            found = leases.pop(lease, None)
            due = [m for _, _, m in sorted((m.due, m.turn, m) for m in held.values())]
            for m in due:
                self.put(m)
            return held.get(found[0]) if found else due
        """,
    ),
    Snippet(
        "opened with flags and locked",
        "fd = os.open('/x', os.O_WRONLY | os.O_DIRECTORY)\nfcntl.flock(fd, fcntl.LOCK_EX)",
        WRITES,
        around="import fcntl, os",
    ),
    Snippet(
        "generator",
        "for c in self.cs():\n    await c.put('/x')",
        WRITES,
        members="def cs(self):\n    yield self.c",
    ),
    Snippet(
        "async generator",
        "async for c in self.cs():\n    await c.put('/x')",
        WRITES,
        members="async def cs(self):\n    yield self.c",
    ),
    Snippet(
        "sent into a generator",
        "g = self.taker()\nnext(g)\ng.send(self.c)",
        WRITES,
        members="def taker(self):\n    c = yield\n    c.put('/x')",
    ),
    Snippet(
        "context manager",
        "with self.opened() as c:\n    await c.put('/x')",
        WRITES,
        members="@contextlib.contextmanager\ndef opened(self):\n    yield self.c",
        around="import contextlib",
    ),
    Snippet(
        "exit hook of a class",
        "with X():\n    pass",
        WRITES,
        around="""
        import os
        class X:
            def __enter__(self): return self
            def __exit__(self, *e): os.remove("x")
        """,
    ),
    Snippet(
        "decorator",
        "await self.deco()",
        WRITES,
        around="""
        import functools
        def plus(f):
            @functools.wraps(f)
            async def inner(self):
                await self.c.put("/x")
                return await f(self)
            return inner
        """,
        members="@plus\nasync def deco(self):\n    return 1",
    ),
    Snippet(
        "property",
        "return self.prop",
        WRITES,
        members="@property\ndef prop(self):\n    return " + _PUT,
    ),
    Snippet(
        "setter",
        "self.prop = 1",
        WRITES,
        members="""
        @property
        def prop(self): return 1
        @prop.setter
        def prop(self, v): self.c.put("/x")
        """,
    ),
    Snippet(
        "descriptor",
        "return self.d",
        WRITES,
        around="""
        class D:
            def __get__(self, o, t): return o.c.put("/x")
        """,
        members="d = D()",
    ),
    Snippet(
        "getattr hook",
        "return self.anything",
        WRITES,
        members="def __getattr__(self, n):\n    import os\n    os.remove(n)",
    ),
    Snippet(
        "equality",
        "return E() == key",
        WRITES,
        around="""
        import os
        class E:
            def __eq__(self, o): os.remove("x")
        """,
    ),
    Snippet(
        "formatting",
        "return f'{E()}'",
        WRITES,
        around="""
        import os
        class E:
            def __str__(self): os.remove("x"); return ""
        """,
    ),
    Snippet(
        "hash of a key",
        "return {E(): 1}",
        WRITES,
        around="""
        import os
        class E:
            def __hash__(self): os.remove("x"); return 1
        """,
    ),
    Snippet("sorting key", "return sorted(value, key=lambda x: self.c.put(x))", WRITES),
    Snippet("finalizer", "import weakref\nweakref.finalize(self, self.c.delete, '/x')", WRITES),
    Snippet(
        "destructor",
        "E()",
        WRITES,
        around="""
        import os
        class E:
            def __del__(self): os.remove("x")
        """,
    ),
    Snippet(
        "super",
        "await Q(self.c).go()",
        WRITES,
        around="""
        class B:
            def __init__(self, c): self.kept = c
            async def go(self): await self.kept.put("/x")
        class Q(B):
            async def go(self): await super().go()
        """,
    ),
    Snippet(
        "template method",
        "await Q().go(self.c)",
        WRITES,
        around="""
        class B:
            async def go(self, c): await self.hook(c)
        class Q(B):
            async def hook(self, c): await c.put("/x")
        """,
    ),
    Snippet(
        "other module",
        "from pkg.other import go\nawait go(self.c)",
        WRITES,
        modules={"other": "async def go(c):\n    await c.put('/x')"},
    ),
    Snippet(
        "re-exported through two modules",
        "from . import a\nawait a.go(self.c)",
        WRITES,
        modules={
            "a": "from .b import inner as go",
            "b": "from .deep.er import inner",
            "deep.__init__": "",
            "deep.er": "async def inner(c):\n    await c.put('/x')",
        },
    ),
    Snippet(
        "star import",
        "await go(self.c)",
        WRITES,
        around="from pkg.o import *",
        modules={"o": "async def go(c):\n    await c.put('/x')"},
    ),
    Snippet(
        "import_module",
        "import importlib as i\nawait i.import_module('pkg.o').go(self.c)",
        WRITES,
        modules={"o": "async def go(c):\n    await c.put('/x')"},
    ),
    Snippet("import of os by name", "__import__('os').remove(key)", WRITES),
    Snippet(
        "import by variable", "import importlib\nimportlib.import_module(key).go()", PURE, top=True
    ),
    Snippet("exec", "exec(key)", PURE, top=True),
    Snippet("eval", "return eval(key)", PURE, top=True),
    Snippet("locals", "c = self.c\nawait locals()['c'].put('/x')", PURE, top=True),
    Snippet("globals of a function", "return self.run.__globals__['x']", PURE, top=True),
    Snippet("handle to unknown callee", "value.take(self.c)", PURE, top=True),
    Snippet("setattr", "setattr(self, 'zz', self.c)\nawait self.zz.put('/x')", WRITES),
    Snippet("dict of the object", "self.__dict__['zz'] = self.c\nawait self.zz.put('/x')", WRITES),
    Snippet(
        "namespace",
        "import types\nn = types.SimpleNamespace(c=self.c)\nawait n.c.put('/x')",
        WRITES,
    ),
    Snippet(
        "queue", "import queue\nq = queue.Queue()\nq.put(self.c)\nq.get().delete('/x')", WRITES
    ),
    Snippet(
        "thread local",
        "T.c = self.c\nawait T.c.put('/x')",
        WRITES,
        around="import threading\nT = threading.local()",
    ),
    Snippet(
        "context variable",
        "V.set(self.c)\nawait V.get().put('/x')",
        WRITES,
        around="import contextvars\nV = contextvars.ContextVar('v')",
    ),
    Snippet(
        "dataclass of a call",
        "await self.send(Call('PUT', '/x'))",
        WRITES,
        around="""
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class Call:
            method: str
            path: str = "/"
        """,
        members="async def send(self, call):\n    await self.c.request(call.method, call.path)",
        sinks=("PUT https://api.example.com/v1/x",),
    ),
    Snippet(
        "dataclass of a read",
        "await self.send(Call(method='GET'))",
        READS,
        around="""
        from dataclasses import dataclass
        @dataclass
        class Call:
            method: str = "PUT"
        """,
        members="""
        async def send(self, call):
            await self.c.request(call.method, "/")
        async def other(self):
            await self.send(Call())
        """,
    ),
    Snippet(
        "enum of methods",
        "await self.c.request(V.W.value, '/x')",
        WRITES,
        around="""
        import enum
        class V(str, enum.Enum):
            R = "GET"
            W = "PUT"
        """,
    ),
    Snippet("method put together", "await self.c.request(''.join(['P', 'UT']), '/x')", WRITES),
    Snippet("method reversed", "await self.c.request('TUP'[::-1], '/x')", WRITES),
    Snippet(
        "method from a helper",
        "await self.c.request(self.which(False), '/x')",
        READS,
        members="def which(self, w):\n    return 'PUT' if w else 'GET'",
    ),
    Snippet(
        "method by keyword arguments",
        "await self.via(method='GET', url='/x')",
        READS,
        members="async def via(self, **kw):\n    await self.c.request(**kw)",
    ),
    Snippet(
        "method through *args",
        "await self.via('PUT', '/x')",
        WRITES,
        members="async def via(self, *a):\n    await self.c.request(*a)",
    ),
    Snippet(
        "safe post keeps its path",
        "await self.post(f'/ns/{key}/bulk/get')",
        WRITES,
        members="async def post(self, path):\n    await self.c.post(path)",
        sinks=("POST https://api.example.com/v1/ns/*/bulk/get",),
    ),
    Snippet(
        "monkeypatched library",
        "import json\njson.dumps = bad\njson.dumps(1)",
        WRITES,
        around="import os\ndef bad(x): os.remove('x')",
    ),
    Snippet(
        "error that carries a handle",
        "try:\n    raise E(self.c)\nexcept E as e:\n    e.c.put('/x')",
        WRITES,
        around="class E(Exception):\n    def __init__(self, c): self.c = c",
    ),
    Snippet(
        "recursion",
        "await self.down(3)",
        WRITES,
        members="""
        async def down(self, n):
            if n:
                return await self.down(n - 1)
            await self.c.put("/x")
        """,
    ),
    Snippet(
        "mutual recursion",
        "await self.a(3)",
        WRITES,
        members="""
        async def a(self, n):
            await self.b(n)
        async def b(self, n):
            if n: await self.a(n)
            await self.c.put("/x")
        """,
    ),
    Snippet(
        "set by another operation",
        "await self.later.put('/x')",
        WRITES,
        members="async def prepare(self):\n    self.later = self.c",
    ),
    Snippet("nested class", "class N:\n    def go(me): return self.c.put('/x')\nN().go()", WRITES),
    Snippet(
        "metaclass call",
        "M2()",
        WRITES,
        around="""
        import os
        class M(type):
            def __call__(cls): os.remove("x")
        class M2(metaclass=M): pass
        """,
    ),
    Snippet(
        "singledispatch",
        "go(1, self.c)",
        WRITES,
        around="""
        import functools
        @functools.singledispatch
        def go(x, c): pass
        @go.register
        def _(x: int, c): c.put("/x")
        """,
    ),
    Snippet(
        "async exit stack",
        """
        import contextlib
        async with contextlib.AsyncExitStack() as s:
            c = await s.enter_async_context(httpx.AsyncClient())
            await c.put("/x")
        """,
        WRITES,
    ),
    Snippet(
        "exit callback",
        "import contextlib\nwith contextlib.ExitStack() as s:\n    s.callback(self.c.put, '/x')",
        WRITES,
    ),
    Snippet("never taken", "if False:\n    await self.c.put('/x')\nawait self.c.get(key)", READS),
    Snippet(
        "flag on the object is no proof",
        "if self.flag:\n    await self.c.put('/x')",
        WRITES,
        members="flag = False",
    ),
    Snippet(
        "retry loop of reads",
        "for attempt in range(3):\n    r = await self.c.get(key)\n    if r: return r",
        READS,
    ),
    Snippet("callback to plain data", "value.sort(key=len)\nreturn value", PURE),
]
