"""Snippets: effects behind the hooks of the language, and data that carries handles."""

from .snippets import PURE, WRITES, Snippet

__all__ = ["HOOKS"]

_FILE = """
import os
class F:
    def write(self, text): os.remove("x")
"""

HOOKS = [
    Snippet(
        "reduce over getattr",
        "import functools\nawait functools.reduce(getattr, ['c', 'put'], self)('/x')",
        WRITES,
        top=None,
    ),
    Snippet("file of one's own", "print(key, file=F())", WRITES, around=_FILE),
    Snippet(
        "json into a file of one's own", "import json\njson.dump(value, F())", WRITES, around=_FILE
    ),
    Snippet(
        "instance check",
        "return isinstance(key, K)",
        WRITES,
        around="""
        import os
        class M(type):
            def __instancecheck__(cls, x): os.remove("x")
        class K(metaclass=M): pass
        """,
    ),
    Snippet(
        "class pattern",
        "match Q():\n    case Q(prop=1): return 1",
        WRITES,
        around="""
        import os
        class Q:
            @property
            def prop(self): os.remove("x")
        """,
    ),
    Snippet(
        "class item",
        "return Q[key]",
        WRITES,
        around="""
        import os
        class Q:
            def __class_getitem__(cls, k): os.remove("x")
        """,
    ),
    Snippet(
        "missing key",
        "return Q()[key]",
        WRITES,
        around="""
        import os
        class Q(dict):
            def __missing__(self, k): os.remove("x")
        """,
    ),
    Snippet(
        "annotation that runs",
        "def f(x: bad()): pass",
        WRITES,
        around="""
        import os
        def bad(): os.remove("x")
        """,
    ),
    Snippet(
        "copy hook",
        "import copy\ncopy.copy(Q())",
        WRITES,
        around="""
        import os
        class Q:
            def __copy__(self): os.remove("x")
        """,
    ),
    Snippet(
        "rebound global",
        "go('x')",
        WRITES,
        around="""
        import os
        def go(x): pass
        def arm():
            global go
            go = os.remove
        """,
        members="def prepare(self): arm()",
    ),
    Snippet(
        "module attribute replaced",
        "import sys\nsetattr(sys.modules[__name__], 'go', __import__('os').remove)\ngo(key)",
        WRITES,
        around="def go(x): pass",
    ),
    Snippet(
        "adapter of requests",
        "import requests.adapters as a\na.HTTPAdapter().send(value)",
        PURE,
        top=True,
    ),
    Snippet(
        "part of a client library",
        "import urllib3\nurllib3.util.connection.create_connection((key, 1))",
        PURE,
        top=True,
    ),
    Snippet(
        "errors of a client library",
        """
        try:
            return 1
        except (httpx.ReadTimeout, httpx.HTTPStatusError) as e:
            raise httpx.TransportError("x") from e
        """,
        PURE,
    ),
    Snippet(
        "task group",
        "import asyncio\nasync with asyncio.TaskGroup() as g:\n    g.create_task(self.w())",
        WRITES,
        members="async def w(self): await self.c.put('/x')",
    ),
    Snippet("bound by hand", "await httpx.AsyncClient.put.__get__(self.c)('/x')", WRITES, top=None),
    Snippet("vars", "await vars(self)['c'].put('/x')", WRITES),
    Snippet("slice of handles", "for c in [self.c, self.c][1:]:\n    await c.put('/x')", WRITES),
    Snippet("last of handles", "await [None, self.c][-1].put('/x')", WRITES),
    Snippet("augmented list", "cs = []\ncs += [self.c]\nawait cs[0].put('/x')", WRITES),
    Snippet("extended list", "cs = []\ncs.extend([self.c])\nawait cs.pop().put('/x')", WRITES),
    Snippet("swapped names", "a, b = self.c, None\na, b = b, a\nawait b.put('/x')", WRITES),
    Snippet(
        "loop carried",
        "c = None\nfor i in value:\n    if c: await c.put('/x')\n    c = self.c",
        WRITES,
    ),
    Snippet(
        "nonlocal",
        "c = None\ndef arm():\n    nonlocal c\n    c = self.c\narm()\nawait c.put('/x')",
        WRITES,
    ),
    Snippet(
        "callback kept and run later",
        "self.later(self.c.put)\nfor f in self.fs: f('/x')",
        WRITES,
        members="fs = []\ndef later(self, f): self.fs.append(f)",
    ),
    Snippet(
        "named tuple",
        "t = T(self.c)\nawait t.c.put('/x')",
        WRITES,
        around="from typing import NamedTuple, Any\nclass T(NamedTuple):\n    c: Any",
    ),
    Snippet(
        "replaced dataclass",
        "await dataclasses.replace(Q(None), c=self.c).c.put('/x')",
        WRITES,
        top=None,
        around="""
        import dataclasses
        @dataclasses.dataclass
        class Q:
            c: object
        """,
    ),
    Snippet(
        "cached factory",
        "await make(self)().put('/x')",
        WRITES,
        around="""
        import functools
        @functools.lru_cache(maxsize=None)
        def make(p): return lambda: p.c
        """,
    ),
]
