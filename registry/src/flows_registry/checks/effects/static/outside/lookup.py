"""From a dotted path to the rule of a call; what no table knows is Top."""

import functools

from flows_registry.checks.effects.static.constants import texts
from flows_registry.checks.effects.static.outside.aws import AWS_FUNCTIONS, AWS_TYPES
from flows_registry.checks.effects.static.outside.http import HTTP_FUNCTIONS, HTTP_TYPES
from flows_registry.checks.effects.static.outside.local import LOCAL_FUNCTIONS, LOCAL_TYPES
from flows_registry.checks.effects.static.outside.rules import (
    Call,
    Rule,
    TypeModel,
    ambient,
    constructs,
    forwards,
    harmless,
    makes,
    passes,
    plainly,
    unknowable,
)
from flows_registry.checks.effects.static.outside.stores import STORE_FUNCTIONS, STORE_TYPES
from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import (
    Atom,
    Cap,
    Inst,
    Method,
    Value,
)

__all__ = ["TYPES", "canonical", "is_handle", "matters", "model_of", "rule_of"]

TYPES = HTTP_TYPES | AWS_TYPES | LOCAL_TYPES | STORE_TYPES
"""What the methods of outside types do."""

_ALIASES = {
    "aiohttp.client.ClientSession": "aiohttp.ClientSession",
    "requests.sessions.Session": "requests.Session",
    "requests.sessions.session": "requests.session",
    "requests.models.Request": "requests.Request",
    "requests.api": "requests",
    "httpx._client.Client": "httpx.Client",
    "httpx._client.AsyncClient": "httpx.AsyncClient",
    "httpx._models.Request": "httpx.Request",
    "httpx._api": "httpx",
    "boto3.session.Session": "boto3.Session",
    "botocore.client.BaseClient": "boto3.client",
    "botocore.session.Session": "boto3.Session",
    "urllib3.poolmanager": "urllib3",
    "urllib3.connectionpool": "urllib3",
    "urllib3.connection": "http.client",
    "asyncio.events": "asyncio",
    "asyncio.streams": "asyncio",
    "asyncio.subprocess.create": "asyncio.create",
    "asyncio.AbstractEventLoop": "asyncio.loop",
    "asyncio.StreamWriter": "socket.socket",
    "asyncio.Transport": "socket.socket",
    "ssl.SSLSocket": "socket.socket",
    "socket.SocketType": "socket.socket",
    "_socket": "socket",
    "_io": "io",
    "_ssl": "ssl",
    "_sqlite3": "sqlite3",
    "sqlite3.dbapi2": "sqlite3",
    "sqlite3.Connection": "sql.Connection",
    "sqlite3.Cursor": "sql.Connection",
    "psycopg.AsyncConnection": "sql.Connection",
    "psycopg.Connection": "sql.Connection",
    "asyncpg.Connection": "sql.Connection",
    "asyncpg.Pool": "sql.Connection",
    "posix": "os",
    "nt": "os",
    "posixpath": "os.path",
    "ntpath": "os.path",
    "_thread": "threading",
    "_random": "random",
    "_pickle": "pickle",
    "builtins.__import__": "importlib.__import__",
    "urllib3.request.RequestMethods": "urllib3.PoolManager",
    "pathlib._local": "pathlib",
}

_HARMLESS = (
    "abc argparse array ast asyncio atexit base64 binascii bisect builtins bz2 calendar cmath "
    "codecs collections colorsys concurrent configparser contextlib contextvars copy copyreg csv "
    "dataclasses datetime decimal difflib email encodings enum errno faulthandler fnmatch "
    "fractions functools getopt gettext graphlib gzip hashlib heapq hmac html http.HTTPStatus "
    "http.HTTPMethod http.cookies http.client io ipaddress itertools json keyword logging lzma "
    "math mimetypes multiprocessing numbers operator opcode os.path os.fspath os.fsencode "
    "os.fsdecode os.strerror os.WEXITSTATUS os.close os.fsync os.PathLike os.get_exec_path "
    "os.cpu_count os.sched_yield os.dup os.dup2 os.pipe os.lseek os.isatty os.waitpid os.umask "
    "os.sep os.devnull os.linesep os.name os.curdir os.pardir os.pathsep os.extsep os.altsep "
    "os.error os.get_terminal_size os.sysconf os.stat_result os.terminal_size http.cookiejar "
    "os.chdir os.register_at_fork os.sched_getaffinity os.DirEntry "
    "pathlib platform pprint queue quopri re reprlib sched selectors select signal socket ssl stat "
    "statistics string stringprep struct subprocess sys tarfile textwrap threading time timeit "
    "token tokenize tomllib traceback types typing unicodedata urllib.parse urllib.error "
    "urllib.response uuid warnings weakref xml zipfile zlib zoneinfo __future__ _typeshed "
    "_collections_abc _weakref _weakrefset _operator _functools _json _struct _abc sysconfig "
    "inspect importlib.metadata locale shutil tempfile"
)
"""Parts of the standard library that reach nothing, but for what the tables say."""

_THIRD_PARTY = (
    "typing_extensions attr attrs blake3 cbor2 orjson ujson msgspec msgpack pydantic pydantic_core "
    "packaging yaml tomli tomli_w jmespath dateutil multidict yarl idna sniffio exceptiongroup "
    "async_timeout frozenlist propcache aiosignal zstandard brotli lz4 xxhash snappy isal "
    "sortedcontainers more_itertools toolz rfc8785 cryptography certifi charset_normalizer chardet "
    "h11 h2 hpack tenacity stamina backoff structlog pluggy core_caps pytz tzdata regex isodate "
    "jsonschema rich click six annotated_types annotated_doc numpy"
)
"""Libraries that reach nothing by themselves, but for what the tables say."""

_CLIENT_PARTS = (
    "httpx.Response httpx.Headers httpx.URL httpx.Timeout httpx.Limits httpx.Cookies httpx.Proxy "
    "httpx.QueryParams httpx.codes httpx.MockTransport httpx.ASGITransport httpx.WSGITransport "
    "httpx.ByteStream httpx.AsyncByteStream httpx.SyncByteStream httpx.USE_CLIENT_DEFAULT "
    "httpx.__version__ httpcore.Response httpcore.URL "
    "aiohttp.TCPConnector aiohttp.ClientTimeout aiohttp.ClientResponse aiohttp.DummyCookieJar "
    "aiohttp.CookieJar aiohttp.FormData aiohttp.TraceConfig aiohttp.hdrs aiohttp.Fingerprint "
    "aiohttp.ClientRequest aiohttp.BytesPayload aiohttp.payload aiohttp.MultipartWriter "
    "requests.Response requests.codes requests.structures requests.cookies requests.utils "
    "requests.adapters.HTTPAdapter.__init__ requests.packages urllib3.Retry urllib3.Timeout "
    "urllib3.HTTPResponse urllib3.BaseHTTPResponse urllib3.util.Retry urllib3.util.Timeout "
    "urllib3.util.retry urllib3.util.timeout urllib3.util.parse_url urllib3.util.make_headers "
    "urllib3.util.ssl_ urllib3.disable_warnings urllib3.filepost urllib3.fields "
    "boto3.s3.transfer.TransferConfig boto3.dynamodb.conditions boto3.dynamodb.types "
    "botocore.config botocore.UNSIGNED botocore.credentials botocore.awsrequest botocore.auth "
    "botocore.httpsession.get_cert_path botocore.response botocore.utils botocore.model "
    "boto3.Session.SESSION_VARIABLES botocore.httpchecksum botocore.hooks "
    "botocore.loaders botocore.regions botocore.validate botocore.compat botocore.handlers "
    "anyio.sleep anyio.Lock anyio.Event anyio.Semaphore anyio.CapacityLimiter anyio.Condition "
    "anyio.CancelScope anyio.move_on_after anyio.fail_after anyio.lowlevel anyio.run "
    "anyio.create_task_group anyio.create_memory_object_stream anyio.current_time anyio.abc "
    "anyio.get_cancelled_exc_class anyio.current_effective_deadline trio.sleep trio.Event "
    "trio.Lock trio.open_nursery trio.CancelScope trio.move_on_after "
    "trio.fail_after trio.Semaphore psycopg.rows psycopg.sql psycopg.types psycopg2.extras "
    "psycopg2.sql psycopg2.extensions"
)
"""What is harmless in libraries that otherwise reach the world; their errors and settings too."""

_CLIENTS = frozenset(
    words(
        "httpx httpcore httpx_aiohttp aiohttp requests urllib3 boto3 botocore s3transfer "
        "aiobotocore aioboto3 anyio trio psycopg psycopg2 asyncpg sqlite3"
    )
)

_SETTINGS = words(
    "Error Exception Warning Timeout Auth Config Conflict NotRead Closed Consumed Redirects "
    "InvalidURL UnsupportedProtocol"
)
"""How the names of a client library's errors and settings end."""

_FORWARDING = (
    "concurrent.futures multiprocessing.pool multiprocessing.Pool asyncio.to_thread "
    "threading.Timer threading.Thread asyncio.TaskGroup asyncio.Runner anyio.to_thread "
    "anyio.from_thread functools.reduce builtins.map builtins.filter builtins.sorted "
    "builtins.min builtins.max "
    "itertools"
)
"""What calls its arguments, and whose own methods give nothing of them away."""

_KEEPING = (
    "threading.local collections.defaultdict collections.Counter weakref.WeakValueDictionary "
    "weakref.WeakKeyDictionary weakref.WeakSet contextvars.ContextVar contextvars.copy_context "
    "types.SimpleNamespace collections.ChainMap"
)
"""What is made to keep things."""

_PASSING = (
    "dataclasses attr attrs abc functools.wraps functools.update_wrapper functools.lru_cache "
    "functools.cache functools.total_ordering functools.singledispatch contextlib.contextmanager "
    "functools.singledispatchmethod contextlib.asynccontextmanager typing typing_extensions enum "
    "types.coroutine types.MappingProxyType copy weakref.ref weakref.proxy weakref.WeakMethod "
    "contextlib.nullcontext contextlib.closing contextlib.aclosing asyncio.iscoroutinefunction "
    "inspect.iscoroutinefunction inspect.signature inspect.unwrap core_caps.hookimpl pluggy "
    "core_caps.plugins core_caps.claims core_caps.retrying core_caps.observe core_caps.calls "
    "builtins.iter builtins.aiter builtins.reversed builtins.enumerate builtins.zip "
    "asyncio.gather asyncio.shield asyncio.create_task asyncio.ensure_future asyncio.wait_for "
    "asyncio.wait asyncio.as_completed asyncio.run asyncio.timeout atexit.unregister "
    "asyncio.run_coroutine_threadsafe builtins.anext operator.index pydantic.field_validator "
    "pydantic.model_validator structlog"
)

_PLAIN = (
    "builtins.isinstance builtins.issubclass builtins.callable builtins.len builtins.bool "
    "builtins.str builtins.repr builtins.format builtins.print builtins.int builtins.float "
    "builtins.bytes builtins.bytearray builtins.memoryview builtins.hasattr builtins.any "
    "builtins.all builtins.sum builtins.ord builtins.chr builtins.abs builtins.round builtins.pow "
    "builtins.divmod builtins.ascii builtins.bin builtins.hex builtins.oct builtins.complex "
    "builtins.range builtins.slice builtins.input builtins.dir builtins.compile "
    "json.loads logging math hashlib hmac base64 struct re time.sleep "
    "asyncio.sleep urllib.parse warnings traceback string binascii zlib unicodedata textwrap "
    "difflib html inspect.isawaitable inspect.iscoroutine inspect.isasyncgen"
)

_AMBIENT = {
    "clock": "time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter "
    "time.perf_counter_ns time.process_time time.process_time_ns time.thread_time time.localtime "
    "time.gmtime time.ctime time.strftime time.asctime time.clock_gettime time.clock_gettime_ns "
    "datetime.datetime.now datetime.datetime.utcnow "
    "datetime.datetime.today datetime.date.today email.utils.formatdate email.utils.localtime "
    "asyncio.loop.time timeit core_caps.clock.SystemClock os.times",
    "rng": "random secrets os.urandom os.getrandom uuid.uuid1 uuid.uuid4 ssl.RAND_bytes "
    "email.utils.make_msgid core_caps.rng.SystemRng cryptography.hazmat.primitives.asymmetric "
    "numpy.random",
    "env": "os.getenv os.environ os.environb os.getenvb os.putenv os.unsetenv os.getlogin "
    "os.path.expanduser os.path.expandvars getpass sys.argv os.get_exec_path "
    "zoneinfo.ZoneInfo sysconfig site urllib.request.getproxies",
    "locale": "locale sys.getdefaultencoding sys.getfilesystemencoding time.tzset",
    "cwd": "os.getcwd os.getcwdb os.path.abspath",
    "hash": "builtins.hash",
    "id": "builtins.id threading.get_ident threading.current_thread threading.get_native_id "
    "os.getpid os.getppid",
    "host": "platform socket.gethostname uuid.getnode os.uname os.cpu_count sys.platform "
    "multiprocessing.cpu_count os.getuid os.getgid os.geteuid os.getegid os.getgroups pwd grp "
    "os.getloadavg",
}

_UNKNOWABLE = {
    "builtins.exec": "exec",
    "builtins.eval": "eval",
    "builtins.breakpoint": "a debugger is started",
    "ctypes": "foreign code through ctypes",
    "_ctypes": "foreign code through ctypes",
    "cffi": "foreign code through cffi",
    "marshal": "code is loaded with marshal",
    "pickle": "pickle can run any code",
    "shelve": "pickle can run any code",
    "runpy": "code is run by name with runpy",
    "code": "code is run from text",
    "codeop": "code is run from text",
    "gc": "objects are found with gc",
    "sys._getframe": "a frame is inspected",
    "sys._current_frames": "a frame is inspected",
    "sys.setprofile": "the interpreter is traced",
    "sys.settrace": "the interpreter is traced",
    "inspect.currentframe": "a frame is inspected",
    "inspect.stack": "a frame is inspected",
    "inspect.trace": "a frame is inspected",
    "inspect.getmembers": "attributes are read with computed names",
    "inspect.getattr_static": "attributes are read with computed names",
    "types.FunctionType": "a function is built from code",
    "types.new_class": "a class is built at run time",
    "types.CodeType": "a function is built from code",
    "importlib": "code is imported by a name that is not constant",
    "logging.config": "logging is configured from data",
    "multiprocessing.connection": "objects go to another process",
    "multiprocessing.managers": "objects go to another process",
    "xmlrpc": "a remote procedure call ({path})",
    "imaplib": "mail is read over the network ({path})",
    "poplib": "mail is read over the network ({path})",
    "telnetlib": "raw bytes on a network ({path})",
    "sys.modules": "a module is found by name",
    "sys.meta_path": "the import system is changed",
    "sys.path_hooks": "the import system is changed",
    "core_caps.connect": "another capability is opened",
    "core_caps.sync": "another capability is opened",
    "core_caps.plugins": "another capability is opened",
    "core_caps.http": "core_caps.http is followed where it is imported by its whole name",
    "urllib.request": "unknown function {path}",
    "http.server": "a server is started in {path}",
    "socketserver": "a server is started in {path}",
    "numpy.load": "code is loaded from a file",
    "numpy.ctypeslib": "foreign code through ctypes",
    "yaml.load": "yaml.load can build any object",
    "yaml.unsafe_load": "yaml.load can build any object",
}


def _table() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for name in f"{_HARMLESS} {_THIRD_PARTY} {_CLIENT_PARTS}".split():
        rules[name] = harmless
    rules |= dict.fromkeys(_FORWARDING.split(), forwards)
    rules |= dict.fromkeys(_PASSING.split(), passes)
    rules |= dict.fromkeys(_PLAIN.split(), plainly)
    for kind, names in _AMBIENT.items():
        rules |= dict.fromkeys(names.split(), ambient(kind))
    rules |= {path: unknowable(reason) for path, reason in _UNKNOWABLE.items()}
    rules |= {"fcntl.flock": plainly, "fcntl.lockf": plainly}
    rules |= {"random.Random": _seeded, "random.seed": harmless, "secrets.compare_digest": plainly}
    rules |= {
        "urllib.request.HTTPHandler": harmless,
        "urllib.request.HTTPSHandler": harmless,
        "urllib.request.ProxyHandler": harmless,
        "urllib.request.HTTPRedirectHandler": harmless,
        "urllib.request.HTTPCookieProcessor": harmless,
        "urllib.request.BaseHandler": harmless,
        "urllib.request.pathname2url": plainly,
        "urllib.request.quote": plainly,
        "httpx.create_ssl_context": harmless,
        "importlib.metadata": harmless,
        "importlib.util.find_spec": plainly,
        "importlib.resources": harmless,
        "importlib.reload": unknowable("code is imported by a name that is not constant"),
        "importlib.invalidate_caches": harmless,
        "urllib.parse.ParseResult": harmless,
    }
    rules |= {name: constructs() for name in (*TYPES, *_KEEPING.split())}
    return rules | HTTP_FUNCTIONS | AWS_FUNCTIONS | LOCAL_FUNCTIONS | STORE_FUNCTIONS


def _seeded(call: Call) -> Value:
    """A generator of one's own is repeatable when it is given a seed."""
    if not texts(call.args.at(0, "x")) and not call.args.values():
        call.machine.ambient(call.node, "rng", call.path)
    return makes("collections.deque")(call)


_RULES = _table()

_unknown_part = unknowable("unknown function {path}")
_unknown_library = unknowable("unknown library {library} ({path})")


@functools.cache
def canonical(path: str) -> str:
    """The public name of what a path names: libraries show their classes in several places."""
    stem, tail = path, ""
    while stem:
        alias = _ALIASES.get(stem)
        if alias is not None and alias != stem:
            return canonical(alias + tail) if alias + tail != path else path
        stem, _, last = stem.rpartition(".")
        tail = f".{last}{tail}"
    return path


@functools.cache
def rule_of(path: str) -> Rule:
    """The rule of a call of this path: its own, its class's, or the nearest module's."""
    stem = path
    while stem:
        rule = _RULES.get(stem)
        if rule is not None and (stem == path or stem not in TYPES):
            return rule
        stem = stem.rpartition(".")[0]
    library = path.partition(".")[0]
    if library in _CLIENTS:
        parts = path.split(".")[1:]
        settings = any(part.endswith(_SETTINGS) or part == "exceptions" for part in parts)
        return harmless if settings else _unknown_part
    return _unknown_library


def model_of(path: str) -> TypeModel | None:
    """What the methods of a type do, where a table says it."""
    return TYPES.get(path)


def matters(path: str) -> bool:
    """Whether an object of this type does more than hold data."""
    quiet = (harmless, forwards, passes, plainly, _unknown_part)
    return path in TYPES or rule_of(path) not in quiet


def is_handle(atom: Atom) -> bool:
    """Whether an atom gives power over the world by itself."""
    match atom:
        case Method(receiver=Cap()):
            return True
        case Inst(type=path) | Method(type=path):
            model = TYPES.get(path)
            return model is not None and model.handle
        case Cap():
            return True
        case _:
            return False
