"""Twins that the determinism check must refuse."""

from flows_registry.corpus.places import FORM, GET_BY_HASH
from flows_registry.corpus.twin import Edit, Twin

__all__ = ["TWINS"]


def _read_from_outside(name: str, imported: str, seen: str, axis: str) -> Twin:
    """A twin whose reads tell something of the process's surroundings."""
    return Twin(
        name,
        "pure",
        (
            Edit("mock.py", "import json\n", f"import json\n{imported}"),
            Edit(
                "mock.py",
                "Entry(stored.value, _parsed(stored))",
                f'Entry(stored.value, {{"seen": {seen}}})',
            ),
        ),
        "determinism",
        ("DET301",),
        "mock/get_with_metadata",
        axis,
    )


TWINS: tuple[Twin, ...] = (
    _read_from_outside("the clock in the output", "", "self._clock.now()", "clock"),
    _read_from_outside(
        "the environment in the output",
        "import os\n",
        'os.environ.get("USER", "")',
        "environment",
    ),
    _read_from_outside(
        "the local hour in the output", "import time\n", "time.localtime(0).tm_hour", "time zone"
    ),
    _read_from_outside(
        "the locale's encoding in the output", "import locale\n", "locale.getencoding()", "locale"
    ),
    _read_from_outside(
        "the working directory in the output",
        "import os\n",
        "os.path.basename(os.getcwd())",
        "working directory",
    ),
    _read_from_outside(
        "a variable of its own in the output",
        "import os\n",
        'os.environ.get("CORPUS_REGION", "nowhere")',
        "environment",
    ),
    _read_from_outside(
        "the age of a file in the output",
        "import os\nimport tempfile\n",
        "os.stat(tempfile.mkstemp()[1]).st_mtime",
        "clock",
    ),
    _read_from_outside(
        "a number of its own generator in the output",
        "import random\n",
        "random.Random().random()",
        "random numbers",
    ),
    _read_from_outside(
        "a directory as the system lists it",
        "import os\n",
        "os.listdir(os.path.dirname(__file__))",
        "directory listing order",
    ),
    Twin(
        "four threads that take turns as they like",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport threading\n"),
            Edit(
                "mock.py",
                "Entry(stored.value, _parsed(stored))",
                'Entry(stored.value, {"turns": _turns()})',
            ),
            Edit(
                "mock.py",
                "def _parsed(",
                "def _turns() -> int:\n"
                "    lines: list[int] = []\n\n"
                "    def work(name: int) -> None:\n"
                "        for _ in range(10_000):\n"
                "            lines.append(name)\n\n"
                "    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]\n"
                "    for thread in threads:\n"
                "        thread.start()\n"
                "    for thread in threads:\n"
                "        thread.join()\n"
                "    return sum(one != other for one, other in zip(lines, lines[1:]))\n\n\n"
                "def _parsed(",
            ),
        ),
        "determinism",
        ("DET301",),
        "mock/get_with_metadata",
        "thread schedule",
    ),
    Twin(
        "a uuid in what is stored",
        "pure",
        (
            Edit("mock.py", "import json\n", "import json\nimport uuid\n"),
            Edit(
                "mock.py",
                "limits.metadata_text(metadata)",
                'limits.metadata_text({"id": uuid.uuid4().hex})',
            ),
        ),
        "determinism",
        ("DET301",),
        "mock/put",
        "random numbers",
    ),
    Twin(
        "the order of a set in what is stored",
        "aiohttp",
        (
            Edit(
                "remote.py",
                FORM,
                'limits.metadata_text({"tags": list({"red", "green", "blue", "grey", "pink"})}))\n'
                "        limits.expiry(",
            ),
        ),
        "determinism",
        ("DET301",),
        "remote/put",
        "hash seed",
    ),
    Twin(
        "an address in a key",
        "pure",
        (Edit("mock.py", "self._entries[key] = ", "self._entries[key + repr(object())] = "),),
        "determinism",
        ("DET301",),
        "mock/put",
        "memory addresses",
    ),
    Twin(
        "answers in the order of their arrival",
        "aiohttp",
        (
            Edit(
                "remote.py",
                '        value = await self._ask("get_with_metadata", "GET", "/values/" + name, answers.value)\n',
                "        heard: list[str] = []\n\n"
                "        async def hear(path: str, after_seconds: float) -> None:\n"
                "            await asyncio.sleep(after_seconds)\n"
                '            await self._ask("get_with_metadata", "GET", path + name, lambda answer: None)\n'
                "            heard.append(path)\n\n"
                '        await asyncio.gather(hear("/values/", 0.0), hear("/metadata/", 0.1))\n'
                '        value = " ".join(heard).encode()\n',
            ),
        ),
        "determinism",
        ("DET301",),
        "remote/get_with_metadata",
        "answer order",
    ),
    Twin(
        "the first piece of a short body taken for the whole",
        "sockets",
        (
            Edit(
                "transport.py",
                "        return await reader.readexactly(size_bytes)\n",
                "        if size_bytes < 1024:\n"
                "            return await reader.read(size_bytes)\n"
                "        return await reader.readexactly(size_bytes)\n",
            ),
        ),
        "determinism",
        ("DET301",),
        "remote/get_with_metadata",
        "chunking",
    ),
    Twin(
        "a pinned read that looks for the newest of its name",
        "bucket",
        (
            Edit(
                "remote.py",
                GET_BY_HASH,
                "        page = await self.list(prefix=key[:-1])\n"
                "        key = page.keys[-1] if page.keys else key\n" + GET_BY_HASH,
            ),
        ),
        "determinism",
        ("DET301",),
        "remote/get_by_hash",
        "world around its pin",
    ),
    Twin(
        "a pinned read that forgets after a day",
        "bucket",
        (
            Edit(
                "mock.py",
                "        if hashlib.sha256(found.data)",
                "        if self._clock.now() > (found.info.uploaded_at or 0.0) + 86_400:\n"
                "            return None\n"
                "        if hashlib.sha256(found.data)",
            ),
        ),
        "determinism",
        ("DET301",),
        "mock/get_by_hash",
        "world around its pin",
    ),
    # The contract's own promise refuses it too; here the byte that may not come is shown.
    Twin(
        "a pinned read that is not verified",
        "bucket",
        (
            Edit(
                "remote.py",
                '        if hashlib.sha256(found.body).hexdigest() != digest.removeprefix("sha256:"):\n',
                "        if not found:\n",
            ),
        ),
        "determinism",
        ("DET301",),
        "remote/get_by_hash",
        "content that stands under its pin",
    ),
    Twin(
        "a sum of floats in the order of their arrival",
        "aiohttp",
        (
            Edit(
                "remote.py",
                '        value = await self._ask("get_with_metadata", "GET", "/values/" + name, answers.value)\n',
                "        total = [0.3]\n\n"
                "        async def add(path: str, after_seconds: float, part: float) -> None:\n"
                "            await asyncio.sleep(after_seconds)\n"
                '            await self._ask("get_with_metadata", "GET", path + name, lambda answer: None)\n'
                "            total[0] += part\n\n"
                '        await asyncio.gather(add("/values/", 0.0, 0.2), add("/metadata/", 0.1, 0.1))\n'
                "        value = repr(total[0]).encode()\n",
            ),
        ),
        "determinism",
        ("DET301",),
        "remote/get_with_metadata",
        "answer order",
    ),
)
