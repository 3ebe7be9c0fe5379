"""HTTP clients: which method goes where. The method decides the effect; unknown is Top."""

from collections.abc import Iterator

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.static.classes import special
from flows_registry.checks.effects.static.constants import texts
from flows_registry.checks.effects.static.outside.rules import (
    Call,
    Rule,
    TypeModel,
    both,
    constructs,
    does,
    given,
    harmless,
    passes,
    run_attached,
    unknowable,
)
from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import (
    EMPTY,
    HOLE,
    NO_ARGS,
    UNKNOWN_DATA,
    Atom,
    Const,
    Inst,
    Obj,
    Text,
    Value,
)

__all__ = ["HTTP_FUNCTIONS", "HTTP_TYPES", "http_effects"]

URLS_MAX = 12

_ANNOUNCED = "(announced)"

_VERBS = ("get", "head", "options", "post", "put", "patch", "delete")
_READS = frozenset(words("GET HEAD OPTIONS TRACE PROPFIND REPORT SEARCH QUERY CONNECT"))
_WRITES = frozenset(
    words("POST PUT PATCH DELETE COPY MOVE MKCOL PROPPATCH LOCK UNLOCK PURGE LINK UNLINK")
)

_BASES = {"http.client": "host", "urllib3": "host"}
"""How a client names the place it talks to; `base_url` where it is not said."""


def http_effects(method: str) -> Effects | None:
    """What a method does to the world (RFC 9110 section 9.2.1, RFC 4918), None when unknown."""
    if method.upper() in _READS:
        return Effects.READ_ONLY
    return Effects.EFFECTFUL if method.upper() in _WRITES else None


def requests(call: Call, method: Value, url: Value) -> Value:
    """Record the requests that these methods and URLs make."""
    run_attached(call)
    harmless(call)
    urls = _urls(call, url)
    for verb in texts(method) or [Text(HOLE)]:
        effects = http_effects(verb.pattern) if verb.exact else None
        if effects is None:
            reason = f"HTTP method {verb.shown!r}" if verb.exact else "an HTTP method not constant"
            call.machine.top(f"{reason} in {call.path}", call.node)
            _record(call, "?", urls, Effects.READ_ONLY)
        else:
            _record(call, verb.pattern.upper(), urls, effects)
    return UNKNOWN_DATA


def _record(call: Call, method: str, urls: list[str], effects: Effects) -> None:
    for url in urls:
        call.machine.sink(call.node, "http", f"{method} {url}", effects, method=method, url=url)


def _urls(call: Call, value: Value) -> list[str]:
    """The URLs, made absolute where the client's base is known."""
    found: list[str] = []
    bases = [base.shown for base in _base_texts(call)] or ["*"]
    for whole in texts(value) or [Text(HOLE)]:
        url = Text(whole.pattern.partition("?")[0])
        if "://" in url.prefix:
            found.append(url.shown)
        elif url.pattern == HOLE:
            found.extend(f"{base.rstrip('/*')}/*" if base != "*" else "*" for base in bases)
        elif bases == ["*"]:
            found.append(url.shown)
        else:
            path = url.shown.lstrip("/")
            found.extend(f"{base.rstrip('/')}/{path}" for base in bases)
    unique = sorted(set(found))
    return unique if len(unique) <= URLS_MAX else [*unique[:URLS_MAX], "*"]


def _base_texts(call: Call) -> list[Text]:
    if not isinstance(call.receiver, Inst | Obj):
        return []
    library = next((name for name in _BASES if call.path.startswith(name)), "")
    position = -1 if call.path.startswith("httpx.") else 0
    value = given(call, call.receiver, position, _BASES.get(library, "base_url"))
    scheme = "https://" if library else ""
    return [
        base if "://" in base.prefix else Text(scheme + base.pattern)
        for base in texts(value)
        if base.pattern != HOLE
    ]


def _verb(method: str) -> Rule:
    verb = frozenset({Text(method.upper())})
    return lambda call: requests(call, verb, call.args.at(0, "url"))


def _spelled(method: int = 0, url: int = 1) -> Rule:
    return lambda call: requests(call, call.args.at(method, "method"), call.args.at(url, "url"))


def _parts(call: Call, request: Atom) -> Iterator[tuple[Value, Value]]:
    """The method and URL of a request object."""
    if isinstance(request, Text):
        yield frozenset({Text("GET")}), frozenset({request})
        return
    if not isinstance(request, Inst | Obj):
        yield EMPTY, EMPTY
        return
    library = request.type if isinstance(request, Inst) else ""
    urllib = library.startswith("urllib.request") or isinstance(request, Obj)
    method = given(call, request, 5 if urllib else 0, "method")
    chosen = call.machine.read(request, "get_method")
    if isinstance(request, Obj):
        method |= special(call.machine, request, ("get_method",), NO_ARGS, call.node)
    if chosen:
        method = call.machine.invoke(chosen, NO_ARGS, call.node)
    if urllib and (not method or any(isinstance(atom, Const) for atom in method)):
        method = frozenset(atom for atom in method if not isinstance(atom, Const))
        method |= _with_body(given(call, request, 1, "data"))
    yield method, given(call, request, 0 if urllib else 1, "url")


def _with_body(data: Value) -> Value:
    """urllib sends POST where there is a body and GET where there is none."""
    nothing = any(isinstance(atom, Const) and atom.nothing for atom in data)
    verbs = {"GET"} if not data or nothing else set[str]()
    if any(not isinstance(atom, Const) or not atom.nothing for atom in data):
        verbs.add("POST")
    return frozenset(Text(verb) for verb in verbs)


def _sends(call: Call) -> Value:
    """Sends a prepared request."""
    for request in call.args.at(0, "request") or UNKNOWN_DATA:
        for method, url in _parts(call, request):
            requests(call, method, url)
    return UNKNOWN_DATA


def _urlopen(call: Call) -> Value:
    """`urlopen(url or Request, data=None)`."""
    data = call.args.at(1, "data")
    for request in call.args.at(0, "url") | call.args.named("fullurl") or UNKNOWN_DATA:
        if isinstance(request, Inst | Obj):
            for method, url in _parts(call, request):
                requests(call, method | (_with_body(data) - {Text("GET")}), url)
        else:
            requests(call, _with_body(data), frozenset({request}))
    return UNKNOWN_DATA


_websocket = both(does("socket", Effects.READ_ONLY), unknowable("what a WebSocket sends in {path}"))
_request_object = constructs("httpx.Request")


def _client(extra: dict[str, Rule] | None = None, **attributes: str) -> TypeModel:
    quiet = words(
        "close aclose __aenter__ __exit__ __aexit__ __enter__ __init__ headers cookies "
        "params auth timeout base_url is_closed closed trust_env event_hooks mount mounts "
        "adapters proxies verify cert stream_ hooks max_redirects get_adapter "
        "should_strip_auth rebuild_auth getresponse endheaders putheader set_debuglevel "
        "set_tunnel host port sock timeout connection_pool_kw clear pool num_connections "
        "detach connector loop cookie_jar json __init_subclass__ resolve_redirects "
        "get_redirect_target addheaders add_handler"
    )
    methods: dict[str, Rule] = dict.fromkeys(quiet, harmless)
    methods.update((verb, _verb(verb)) for verb in _VERBS)
    methods.update(
        request=_spelled(),
        stream=_spelled(),
        send=_sends,
        build_request=_request_object,
        prepare_request=passes,
    )
    methods.update(extra or {})
    return TypeModel(methods, unknowable("unknown method {path}"), attributes)


def _announced(call: Call) -> Value:
    """`putrequest`: what is sent after it is the body of that request."""
    if call.receiver is not None:
        call.machine.write(call.receiver, _ANNOUNCED, UNKNOWN_DATA)
    return _spelled()(call)


def _body(call: Call) -> Value:
    """Raw bytes on a connection: a body where a request was announced, anything otherwise."""
    if call.receiver is not None and call.machine.read(call.receiver, _ANNOUNCED):
        return harmless(call)
    return unknowable("raw bytes in {path}")(call)


_HTTPLIB = _client({"putrequest": _announced, "connect": harmless, "send": _body})
_AIOHTTP = _client({"_request": _spelled(), "ws_connect": _websocket})
_URLLIB3 = _client(
    {
        "urlopen": _spelled(),
        "request_encode_url": _spelled(),
        "request_encode_body": _spelled(),
        "connection_from_url": constructs("urllib3.HTTPSConnectionPool"),
        "connection_from_host": constructs("urllib3.HTTPSConnectionPool"),
    }
)
_REQUEST = TypeModel({"prepare": passes}, harmless, handle=False)
_TRANSPORT = TypeModel(
    dict.fromkeys(
        ("close", "__init__", "aclose", "__enter__", "__exit__", "__aenter__", "__aexit__"),
        harmless,
    )
    | {
        "handle_request": _sends,
        "handle_async_request": _sends,
        "request": _spelled(),
        "stream": _spelled(),
    },
    unknowable("unknown method {path}"),
)
_OPENER = _client({"open": _urlopen})

HTTP_TYPES: dict[str, TypeModel] = {
    "httpx.Client": _client(),
    "httpx.AsyncClient": _client(),
    "httpx.Request": _REQUEST,
    "httpx.HTTPTransport": _TRANSPORT,
    "httpx.AsyncHTTPTransport": _TRANSPORT,
    "httpx.BaseTransport": _TRANSPORT,
    "httpx.AsyncBaseTransport": _TRANSPORT,
    "httpx_aiohttp.AiohttpTransport": _TRANSPORT,
    "httpx_aiohttp.HttpxAiohttpClient": _client(),
    "httpcore.ConnectionPool": _TRANSPORT,
    "httpcore.AsyncConnectionPool": _TRANSPORT,
    "requests.Session": _client(),
    "requests.Request": _REQUEST,
    "requests.PreparedRequest": _REQUEST,
    "aiohttp.ClientSession": _AIOHTTP,
    "http.client.HTTPConnection": _HTTPLIB,
    "http.client.HTTPSConnection": _HTTPLIB,
    "urllib3.PoolManager": _URLLIB3,
    "urllib3.ProxyManager": _URLLIB3,
    "urllib3.HTTPConnectionPool": _URLLIB3,
    "urllib3.HTTPSConnectionPool": _URLLIB3,
    "urllib.request.Request": _REQUEST,
    "urllib.request.OpenerDirector": _OPENER,
    "httplib2.Http": _client({"request": _spelled(1, 0)}),
}


def _functions() -> Iterator[tuple[str, Rule]]:
    for library in ("httpx", "requests"):
        for verb in _VERBS:
            yield f"{library}.{verb}", _verb(verb)
        yield f"{library}.request", _spelled()
    yield "httpx.stream", _spelled()
    yield "aiohttp.request", _spelled()
    yield "urllib3.request", _spelled()
    yield "httpcore.request", _spelled()
    yield "httpcore.stream", _spelled()
    yield "requests.session", constructs("requests.Session")
    yield "urllib3.connection_from_url", constructs("urllib3.HTTPSConnectionPool")
    yield "urllib.request.urlopen", _urlopen
    yield "urllib.request.build_opener", constructs("urllib.request.OpenerDirector")
    yield "urllib.request.install_opener", harmless
    yield "urllib.request.urlretrieve", both(_urlopen, does("file", Effects.EFFECTFUL))


HTTP_FUNCTIONS: dict[str, Rule] = dict(_functions())
