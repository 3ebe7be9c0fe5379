"""At least one way to use each operation: what the certifier meets with faults."""

from core_caps.contract.suite import PERSONAL_CONTENT, Call, Exercise
from core_caps.contract.web_site.pinned import digest_of
from core_caps.contract.web_site.site import SITE, redirect

__all__ = ["EXERCISES"]

_BYTES = bytes(range(256)) * 100
_URL, _OTHER, _TRICKY = f"{SITE}/greeting", f"{SITE}/farewell", f"{SITE}/a//b%2F+c?%C3%A9=&x"
_TEXT = {"headers": {"content-type": "text/plain"}}

_PUT = Call("put", (_URL, PERSONAL_CONTENT), _TEXT)
_READ = (Call("get", (_URL,)),)


def _keyed(key: str) -> dict[str, object]:
    return {**_TEXT, "idempotency_key": key}


EXERCISES = (
    Exercise("get", Call("get", (_URL,)), (_PUT,)),
    Exercise("get absent", Call("get", (_OTHER,)), (_PUT,)),
    Exercise("get binary", Call("get", (_URL,)), (Call("put", (_URL, _BYTES), _TEXT),)),
    Exercise("get tricky url", Call("get", (_TRICKY,)), (Call("put", (_TRICKY, b"v"), _TEXT),)),
    Exercise("get redirected", Call("get", (redirect(302, _URL),)), (_PUT,)),
    Exercise("head", Call("head", (_URL,)), (_PUT,)),
    Exercise("head absent", Call("head", (_OTHER,)), (_PUT,)),
    Exercise("open", Call("open", (_URL,)), (Call("put", (_URL, _BYTES * 8), _TEXT),)),
    Exercise("get_pinned", Call("get_pinned", (_URL, digest_of(PERSONAL_CONTENT))), (_PUT,)),
    Exercise(
        "get_pinned absent", Call("get_pinned", (_OTHER, digest_of(PERSONAL_CONTENT))), (_PUT,)
    ),
    Exercise("put", _PUT, (), _READ),
    Exercise("put with key", Call("put", (_URL, _BYTES), _keyed("work-1")), (), _READ),
    Exercise("put over something", Call("put", (_URL, b"new"), _TEXT), (_PUT,), _READ),
    Exercise(
        "post",
        Call("post", (_URL, b"entry"), _keyed("work-1")),
        (),
        (Call("get", (f"{_URL}/1",)), Call("get", (f"{_URL}/2",))),
    ),
    Exercise(
        "post without key", Call("post", (_URL, _BYTES), _TEXT), (), (Call("get", (f"{_URL}/1",)),)
    ),
    Exercise("patch", Call("patch", (_URL, b", you"), _keyed("work-1")), (_PUT,), _READ),
    Exercise("delete", Call("delete", (_URL,)), (_PUT, Call("put", (_OTHER, b"stays"))), _READ),
    Exercise("delete with key", Call("delete", (_URL,), {"idempotency_key": "w"}), (_PUT,), _READ),
    Exercise("delete absent", Call("delete", (_OTHER,)), (_PUT,), _READ),
)
