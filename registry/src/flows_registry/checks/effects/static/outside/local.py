"""What a process does by itself: sockets, files, processes, databases, mail."""

from collections.abc import Iterator

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.static.classes import own_methods
from flows_registry.checks.effects.static.constants import constant, texts
from flows_registry.checks.effects.static.containers import collection, fetch
from flows_registry.checks.effects.static.outside.http import http_effects
from flows_registry.checks.effects.static.outside.rules import (
    Call,
    Rule,
    TypeModel,
    ambient,
    both,
    does,
    forwards,
    harmless,
    itself,
    makes,
    run_attached,
    unknowable,
)
from flows_registry.checks.effects.static.values import (
    EMPTY,
    UNKNOWN_DATA,
    Args,
    Coll,
    Const,
    Ext,
    Inst,
    Obj,
    Text,
    Value,
)

__all__ = ["LOCAL_FUNCTIONS", "LOCAL_TYPES"]

_READS, _WRITES = Effects.READ_ONLY, Effects.EFFECTFUL


# Sockets


def _connects(call: Call) -> Value:
    """Opens a connection to a constant or unknown address."""
    run_attached(call)
    harmless(call)
    shown = _address(call)
    call.machine.sink(call.node, "socket", f"connect {shown}", _READS, url=shown)
    return UNKNOWN_DATA


def _address(call: Call) -> str:
    host, port = call.args.at(0, "host"), call.args.at(1, "port")
    loop = call.path.startswith("asyncio.loop")
    if loop:  # create_connection(factory, host, port), sock_connect(sock, address)
        host, port = call.args.at(1, "host"), call.args.at(2, "port")
    for atom in host | call.args.named("address"):
        if isinstance(atom, Coll) and atom.kind in ("tuple", "list"):
            host = fetch(call.machine, atom, frozenset({constant(0)}))
            port = fetch(call.machine, atom, frozenset({constant(1)}))
    name = next((text.shown for text in texts(host)), "*")
    number = min((str(atom.value) for atom in port if isinstance(atom, Const)), default="")
    return f"{name}:{number}" if number and number != "None" else name


def _payload(position: int, name: str = "data") -> Rule:
    """Sends bytes: their constant beginning may be a request line, anything else is unknown."""

    def apply(call: Call) -> Value:
        run_attached(call)
        for sent in texts(call.args.at(position, name)) or [Text("")]:
            word, space, _ = sent.prefix.lstrip().partition(" ")
            effects = http_effects(word) if space else None
            if effects is None:
                call.machine.top(f"bytes sent on a socket in {call.path}", call.node)
                call.machine.sink(call.node, "socket", "send", _READS)
            else:
                target = sent.shown.split("\r\n")[0].split(" ")
                url = target[1] if len(target) > 1 else "*"
                detail = f"{word.upper()} {url}"
                call.machine.sink(
                    call.node, "socket", detail, effects, method=word.upper(), url=url
                )
        harmless(call)
        return UNKNOWN_DATA

    return apply


def _stream_pair(call: Call) -> Value:
    """A reader and a writer on a new connection."""
    _connects(call)
    reader = makes("asyncio.StreamReader")(call)
    writer = frozenset({Inst("socket.socket", id(call.node), call.machine.current)})
    return frozenset({collection(call.machine, "tuple", call.node, [reader, writer])})


def _protocol(call: Call) -> Value:
    """A transport, and the protocol that the factory makes; the loop calls the protocol."""
    _connects(call)
    machine = call.machine
    transport: Value = frozenset({Inst("socket.socket", id(call.node), machine.current)})
    protocols = machine.invoke(call.args.at(0, "protocol_factory"), Args(), call.node)
    for protocol in protocols:
        if isinstance(protocol, Obj):
            methods = own_methods(machine, protocol, call.node)
            machine.invoke(methods, Args(fill=transport | UNKNOWN_DATA), call.node)
    return frozenset({collection(machine, "tuple", call.node, [transport, protocols])})


def _same(call: Call) -> Value:
    """Wraps a socket: what comes out is the socket that went in."""
    inside = frozenset(atom for atom in call.args.everything() if isinstance(atom, Inst | Obj))
    return inside or makes("socket.socket")(call)


_QUIET_SOCKET = (
    "close recv recv_into recvfrom recvmsg settimeout setblocking setsockopt getsockopt fileno "
    "getpeername getsockname shutdown detach gettimeout family type proto drain wait_closed "
    "is_closing can_write_eof get_extra_info close abort start_tls read readline unwrap cipher "
    "getpeercert version selected_alpn_protocol do_handshake makefile_ __enter__ __exit__ "
    "__aenter__ __aexit__ __init__ pause_reading resume_reading set_write_buffer_limits flush "
    "write_eof"
)


def _socket_type() -> TypeModel:
    rules: dict[str, Rule] = dict.fromkeys(_QUIET_SOCKET.split(), harmless)
    send = _payload(0)
    rules |= dict.fromkeys(("send", "sendall", "sendmsg", "write", "writelines", "sendfile"), send)
    rules |= {
        "connect": _connects,
        "connect_ex": _connects,
        "sendto": both(_connects_to(1), send),
        "makefile": itself,
        "dup": itself,
    }
    return TypeModel(rules, unknowable("unknown method {path}"))


def _connects_to(position: int) -> Rule:
    def apply(call: Call) -> Value:
        address = Call(call.machine, call.node, call.path, call.args.shifted(position))
        return _connects(address)

    return apply


_loop_send = _payload(1)
_LOOP = TypeModel(
    {
        "create_connection": _protocol,
        "create_datagram_endpoint": _protocol,
        "create_unix_connection": _protocol,
        "sock_connect": _connects,
        "sock_sendall": _loop_send,
        "sock_sendto": _loop_send,
        "subprocess_exec": does("process", _WRITES),
        "subprocess_shell": does("process", _WRITES),
        "getaddrinfo": does("socket", _READS),
        "create_server": unknowable("a server is started in {path}"),
    },
    forwards,
    handle=False,
)


# Files


def _opens(mode_at: int = 1) -> Rule:
    """Opens a file: the mode decides."""

    def apply(call: Call) -> Value:
        modes = texts(call.args.at(mode_at, "mode")) or [Text("r")]
        shown = next((text.shown for text in texts(call.args.at(0))), "*")
        for mode in modes:
            if not mode.exact:
                call.machine.top("a file opened in a mode that is not constant", call.node)
            effects = _WRITES if set(mode.pattern) & set("wax+") else _READS
            detail = f"open {shown} {mode.shown}"
            call.machine.sink(call.node, "file", detail, effects, method=mode.shown)
        return harmless(call) | makes("io.IOBase")(call)

    return apply


def _os_open(call: Call) -> Value:
    """`os.open`: read-only when no flag says otherwise."""
    flags = call.args.at(1, "flags")
    names = {atom.path for atom in flags if isinstance(atom, Ext)}
    if names == {"os.O_RDONLY"} and len(flags) == 1:
        return does("file", _READS)(call)
    return does("file", _WRITES)(call)


def _path_opens(call: Call) -> Value:
    return _opens(0)(call)


_PATH_WRITES = (
    "write_text write_bytes touch mkdir unlink rename replace rmdir chmod lchmod symlink_to "
    "hardlink_to link_to"
)
_PATH_READS = (
    "read_text read_bytes exists is_file is_dir is_symlink is_mount stat lstat resolve owner group "
    "samefile readlink expanduser absolute"
)
_PATH_LISTS = "iterdir glob rglob walk"

_PATH = TypeModel(
    dict.fromkeys(_PATH_WRITES.split(), does("file", _WRITES))
    | dict.fromkeys(_PATH_READS.split(), does("file", _READS, "pathlib.Path"))
    | dict.fromkeys(
        _PATH_LISTS.split(), both(does("file", _READS, "pathlib.Path"), ambient("listing"))
    )
    | {"open": _path_opens, "cwd": ambient("cwd"), "home": ambient("env")},
    both(harmless, makes("pathlib.Path")),
    handle=False,
)


def _named(kind: str, effects: Effects, names: str, made: str = "") -> Iterator[tuple[str, Rule]]:
    for name in names.split():
        yield name, does(kind, effects, made)


def _os(effects: Effects, names: str) -> Iterator[tuple[str, Rule]]:
    yield from _named("file", effects, " ".join(f"os.{name}" for name in names.split()))


def _functions() -> Iterator[tuple[str, Rule]]:
    yield "socket.create_connection", both(_connects, makes("socket.socket"))
    yield "ssl.wrap_socket", _same
    yield "ssl.create_default_context", makes("ssl.SSLContext")
    yield "ssl._create_unverified_context", makes("ssl.SSLContext")
    yield "ssl.SSLContext.wrap_socket", _same
    yield "socket.create_server", unknowable("a server is started in {path}")
    yield "socket.socketpair", makes("socket.pair")
    yield from _named(
        "socket",
        _READS,
        "socket.getaddrinfo socket.gethostbyname socket.getfqdn "
        "socket.gethostbyaddr socket.gethostbyname_ex socket.getnameinfo",
    )
    yield "asyncio.open_connection", _stream_pair
    yield "asyncio.open_unix_connection", _stream_pair
    for name in ("anyio.connect_tcp", "anyio.connect_unix", "trio.open_tcp_stream"):
        yield name, both(_connects, makes("socket.socket"))
    yield "anyio.open_file", _opens()
    yield "trio.open_file", _opens()
    for starts in ("start_server", "start_unix_server"):
        yield f"asyncio.{starts}", unknowable("a server is started in {path}")
    for name in ("get_event_loop", "get_running_loop", "new_event_loop"):
        yield f"asyncio.{name}", makes("asyncio.loop")
    yield from _file_functions()
    yield from _process_functions()


def _file_functions() -> Iterator[tuple[str, Rule]]:
    for name in ("builtins", "io", "codecs", "gzip", "bz2", "lzma", "tarfile", "aiofiles"):
        yield f"{name}.open", _opens()
    for name in ("zipfile.ZipFile", "io.FileIO", "gzip.GzipFile", "tarfile.TarFile"):
        yield name, _opens()
    yield "os.open", _os_open
    yield "os.fdopen", _opens()
    yield from _os(
        _WRITES,
        "remove unlink rename renames replace mkdir makedirs rmdir removedirs "
        "chmod chown lchown link symlink truncate ftruncate utime mkfifo mknod write "
        "writev pwrite pwritev sendfile setxattr removexattr copy_file_range",
    )
    yield from _os(
        _READS,
        "stat lstat fstat access readlink statvfs path.exists path.isfile "
        "path.isdir path.islink path.getsize path.getmtime path.getctime path.getatime "
        "path.realpath path.samefile path.lexists path.ismount read pread getxattr",
    )
    for name in ("listdir", "scandir", "walk", "fwalk"):
        yield f"os.{name}", both(does("file", _READS, "pathlib.Path"), ambient("listing"))
    for name in ("glob.glob", "glob.iglob"):
        yield name, both(does("file", _READS), ambient("listing"))
    yield from _named(
        "file",
        _READS,
        "shutil.which shutil.disk_usage linecache.getline "
        "mimetypes.init fileinput.input filecmp.cmp tokenize.open zipfile.is_zipfile "
        "importlib.resources.files importlib.resources.read_text pkgutil.get_data "
        "importlib.resources.read_binary importlib.resources.open_binary",
    )
    yield from _named(
        "file",
        _WRITES,
        "shutil shutil.copy shutil.move tempfile "
        "logging.FileHandler logging.handlers.RotatingFileHandler "
        "logging.handlers.TimedRotatingFileHandler "
        "logging.handlers.WatchedFileHandler dbm.open shelve.open mmap.mmap",
    )
    yield from _named(
        "file",
        _WRITES,
        "tempfile.NamedTemporaryFile tempfile.TemporaryFile tempfile.SpooledTemporaryFile",
        "io.IOBase",
    )
    yield from _named(
        "socket",
        _WRITES,
        "logging.handlers.SocketHandler logging.handlers.SMTPHandler "
        "logging.handlers.DatagramHandler logging.handlers.HTTPHandler "
        "logging.handlers.SysLogHandler logging.handlers.NTEventLogHandler",
        "logging.Handler",
    )


def _process_functions() -> Iterator[tuple[str, Rule]]:
    yield from _named(
        "process",
        _WRITES,
        "subprocess.run subprocess.call subprocess.check_call "
        "subprocess.check_output subprocess.getoutput subprocess.getstatusoutput "
        "os.system os.popen os.posix_spawn os.posix_spawnp os.startfile os.fork "
        "os.forkpty os.kill os.killpg asyncio.create_subprocess_exec "
        "asyncio.subprocess.create_subprocess_exec asyncio.subprocess.create_subprocess_shell "
        "asyncio.create_subprocess_shell pty.spawn webbrowser.open webbrowser "
        "webbrowser.open_new webbrowser.open_new_tab webbrowser.get "
        "_posixsubprocess.fork_exec anyio.run_process anyio.open_process "
        "signal.pthread_kill signal.raise_signal",
    )
    yield "subprocess.Popen", does("process", _WRITES, "subprocess.Popen")
    for shape in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe"):
        yield f"os.spawn{shape}", does("process", _WRITES)
        yield f"os.exec{shape}", does("process", _WRITES)


def _takes(call: Call) -> Value:
    """Gives what was put in, and nothing else."""
    kept = call.machine.read(call.receiver, "*") if call.receiver is not None else EMPTY
    return kept or call.machine.miss()


_QUEUE = TypeModel({"get": _takes, "get_nowait": _takes}, harmless, handle=False)

LOCAL_FUNCTIONS: dict[str, Rule] = dict(_functions())

LOCAL_TYPES: dict[str, TypeModel] = {
    "socket.socket": _socket_type(),
    "ssl.SSLContext": TypeModel({"wrap_socket": _same, "wrap_bio": _same}, harmless, handle=False),
    "asyncio.loop": _LOOP,
    "queue.SimpleQueue": _QUEUE,
    "queue.Queue": _QUEUE,
    "queue.LifoQueue": _QUEUE,
    "asyncio.Queue": _QUEUE,
    "pathlib.Path": _PATH,
    "pathlib.PosixPath": _PATH,
    "pathlib.WindowsPath": _PATH,
}
