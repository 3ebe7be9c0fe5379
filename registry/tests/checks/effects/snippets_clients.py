"""Snippets: every way to the world that a client library or the standard library offers."""

from .snippets import PURE, READS, WRITES, Snippet

__all__ = ["CLIENTS"]

CLIENTS = [
    Snippet("httpx get", 'await self.c.get("/values/" + key)', READS, sinks=("GET",)),
    Snippet("httpx put", 'await self.c.put(f"/values/{key}", content=value)', WRITES),
    Snippet("httpx head", "await self.c.head(key)", READS, hosts=("api.example.com",)),
    Snippet("httpx patch", 'await self.c.request("patch", key)', WRITES, sinks=("PATCH",)),
    Snippet("httpx by keyword", 'await self.c.request(url=key, method="DELETE")', WRITES),
    Snippet(
        "httpx stream",
        'async with self.c.stream("GET", key) as r:\n    return [c async for c in r.aiter_raw()]',
        READS,
    ),
    Snippet(
        "httpx request object",
        'r = self.c.build_request("PUT", key)\nawait self.c.send(r)',
        WRITES,
    ),
    Snippet(
        "httpx request object read",
        'r = httpx.Request("GET", "https://a.example.com/" + key)\nawait self.c.send(r)',
        READS,
    ),
    Snippet("httpx module function", 'httpx.post("https://h.example.com/x")', WRITES),
    Snippet(
        "httpx hook",
        """
        async with httpx.AsyncClient(event_hooks={"request": [self.hook]}) as c:
            await c.get(key)
        """,
        WRITES,
        members='async def hook(self, request):\n    await self.c.put("/x")',
    ),
    Snippet(
        "httpx transport of one's own",
        "await httpx.AsyncClient(transport=T()).get(key)",
        WRITES,
        around="""
        import httpx, subprocess
        class T(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request):
                subprocess.run(["curl"])
                return httpx.Response(200)
        """,
    ),
    Snippet(
        "httpx client subclass",
        "await C().get(key)",
        WRITES,
        around="""
        import httpx
        class C(httpx.AsyncClient):
            async def send(self, request, **kw):
                await httpx.AsyncClient().post("https://other.example.com")
                return await super().send(request, **kw)
        """,
        top=None,
    ),
    Snippet("requests", 'import requests\nrequests.get("https://a.example.com")', READS),
    Snippet(
        "requests session",
        'import requests\ns = requests.Session()\ns.request("PUT", key)',
        WRITES,
    ),
    Snippet(
        "urllib get",
        'from urllib.request import urlopen\nurlopen("https://a.example.com/" + key).read()',
        READS,
        hosts=("a.example.com",),
    ),
    Snippet(
        "urllib with a body",
        'import urllib.request as u\nu.urlopen("https://a.example.com/", data=value)',
        WRITES,
        sinks=("POST",),
    ),
    Snippet(
        "urllib request object",
        """
        import urllib.request as u
        u.urlopen(u.Request("https://a.example.com/", method="DELETE"))
        """,
        WRITES,
    ),
    Snippet(
        "urllib method set later",
        """
        import urllib.request as u
        r = u.Request("https://a.example.com/")
        r.get_method = lambda: "PUT"
        u.urlopen(r)
        """,
        WRITES,
    ),
    Snippet(
        "http.client",
        """
        import http.client
        h = http.client.HTTPSConnection("a.example.com")
        h.request("POST", "/bulk/get")
        """,
        WRITES,
        sinks=("POST https://a.example.com/bulk/get",),
        hosts=("a.example.com",),
    ),
    Snippet(
        "urllib3",
        'import urllib3\nurllib3.PoolManager().request("GET", "https://a.example.com")',
        READS,
    ),
    Snippet(
        "aiohttp",
        """
        import aiohttp
        async with aiohttp.ClientSession() as s:
            async with s.put("https://a.example.com") as r:
                return await r.read()
        """,
        WRITES,
    ),
    Snippet(
        "aiohttp get",
        """
        import aiohttp
        async with aiohttp.ClientSession("https://b.example.com") as s, s.get("/x") as r:
            return await r.read()
        """,
        READS,
        hosts=("b.example.com",),
    ),
    Snippet("boto3 get", 'import boto3\nboto3.client("s3").get_object(Bucket="b", Key=key)', READS),
    Snippet("boto3 put", 'import boto3\nboto3.client("s3").put_object(Body=value)', WRITES),
    Snippet(
        "boto3 paginator",
        """
        import boto3
        for page in boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket="b"):
            print(page)
        """,
        READS,
    ),
    Snippet(
        "boto3 presigned write",
        'import boto3\nreturn boto3.client("s3").generate_presigned_url("put_object")',
        WRITES,
        sinks=("put_object",),
    ),
    Snippet(
        "boto3 presigned read",
        'import boto3\nreturn boto3.client("s3").generate_presigned_url("get_object")',
        READS,
    ),
    Snippet(
        "boto3 presigned with another method",
        """
        import boto3
        return boto3.client("s3").generate_presigned_url("get_object", HttpMethod="PUT")
        """,
        WRITES,
    ),
    Snippet(
        "boto3 resource",
        'import boto3\nboto3.resource("s3").Bucket("b").Object(key).delete()',
        WRITES,
    ),
    Snippet(
        "boto3 resource collection",
        """
        import boto3
        for o in boto3.resource("s3").Bucket("b").objects.all():
            o.delete()
        """,
        WRITES,
        top=None,
    ),
    Snippet("boto3 unknown verb", 'import boto3\nboto3.client("s3").frobnicate()', PURE, top=True),
    Snippet(
        "botocore api call",
        """
        import botocore.session
        c = botocore.session.get_session().create_client("s3")
        c._make_api_call("DeleteObject", {})
        """,
        WRITES,
    ),
    Snippet(
        "socket request line",
        """
        import socket
        s = socket.create_connection(("a.example.com", 80))
        s.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
        """,
        READS,
        hosts=("a.example.com:80",),
    ),
    Snippet(
        "socket write",
        """
        import socket
        s = socket.socket()
        s.connect(("a.example.com", 80))
        s.sendall(b"PUT /" + key.encode() + b" HTTP/1.1")
        """,
        WRITES,
    ),
    Snippet(
        "socket unknown bytes",
        'import socket\ns = socket.socket()\ns.connect(("h", 1))\ns.send(value)',
        READS,
        top=True,
    ),
    Snippet(
        "tls socket",
        """
        import socket, ssl
        s = ssl.create_default_context().wrap_socket(socket.create_connection(("h", 443)))
        s.sendall(b"DELETE / HTTP/1.1")
        """,
        WRITES,
    ),
    Snippet(
        "asyncio streams",
        """
        import asyncio
        reader, writer = await asyncio.open_connection("a.example.com", 80)
        writer.write(b"POST / HTTP/1.1\\r\\n")
        """,
        WRITES,
    ),
    Snippet(
        "asyncio protocol",
        """
        import asyncio
        await asyncio.get_running_loop().create_connection(Proto, "h", 80)
        """,
        WRITES,
        around="""
        import asyncio
        class Proto(asyncio.Protocol):
            def connection_made(self, transport):
                transport.write(b"PUT / HTTP/1.1")
        """,
        top=None,
    ),
    Snippet("subprocess", 'import subprocess\nsubprocess.run(["curl", key])', WRITES),
    Snippet("os.system", 'import os\nos.system("curl")', WRITES),
    Snippet("posix_spawn", 'import posix\nposix.posix_spawn("/bin/x", [], {})', WRITES),
    Snippet(
        "asyncio subprocess",
        'import asyncio\nawait asyncio.create_subprocess_exec("curl")',
        WRITES,
    ),
    Snippet("smtplib", 'import smtplib\nsmtplib.SMTP("h").send_message(value)', WRITES),
    Snippet("ftplib read", 'import ftplib\nftplib.FTP("h").nlst()', READS),
    Snippet("ftplib write", 'import ftplib\nftplib.FTP("h").storbinary("STOR x", value)', WRITES),
    Snippet("sqlite read", 'import sqlite3\nsqlite3.connect("f").execute("SELECT 1")', READS),
    Snippet(
        "sqlite write",
        'import sqlite3\nd = sqlite3.connect("f")\nd.cursor().execute("INSERT INTO t VALUES (1)")',
        WRITES,
    ),
    Snippet(
        "sqlite in memory",
        'import sqlite3\nsqlite3.connect(":memory:").execute("INSERT INTO t VALUES (1)")',
        PURE,
    ),
    Snippet("open for reading", 'with open("f") as f:\n    return f.read()', READS),
    Snippet("open for writing", 'with open("f", "w") as f:\n    f.write(key)', WRITES),
    Snippet("open in unknown mode", 'open("f", key)', READS, top=True),
    Snippet("path write", 'from pathlib import Path\nPath("a").write_bytes(value)', WRITES),
    Snippet("path built", 'import pathlib\n(pathlib.Path("a") / key).unlink()', WRITES),
    Snippet("path read", 'from pathlib import Path\nreturn Path("a").read_text()', READS),
    Snippet("os.remove", "from os import remove as gone\ngone(key)", WRITES),
    Snippet("shutil", "import shutil\nshutil.rmtree(key)", WRITES),
    Snippet("tempfile", "import tempfile\ntempfile.NamedTemporaryFile()", WRITES),
    Snippet("ctypes", "import ctypes\nctypes.CDLL(None).system(b'x')", PURE, top=True),
    Snippet("webbrowser", "import webbrowser\nwebbrowser.open(key)", WRITES),
    Snippet(
        "network log handler",
        'import logging.handlers\nlogging.handlers.HTTPHandler("h", "/")',
        WRITES,
    ),
    Snippet("plain logging", 'import logging\nlogging.getLogger("x").info("k %s", key)', PURE),
    Snippet("unknown library", "import kafka\nkafka.KafkaProducer().send(key)", PURE, top=True),
    Snippet("method unknown", "await self.c.request(key, '/x')", READS, top=True),
    Snippet(
        "pure work", "import json, hashlib\nreturn hashlib.sha256(json.dumps(key)).digest()", PURE
    ),
]
