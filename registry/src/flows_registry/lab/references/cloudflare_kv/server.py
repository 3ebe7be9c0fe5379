"""The public Workers KV REST API over one state: routing, authentication, values, listing, bulk."""

import base64
import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl, unquote_to_bytes

from flows_registry.lab.references.cloudflare_kv import rules
from flows_registry.lab.references.cloudflare_kv.envelope import Refusal, answer, failure, refused
from flows_registry.lab.references.cloudflare_kv.form_data import FormError, parse_form
from flows_registry.lab.references.cloudflare_kv.rules import Pair
from flows_registry.lab.references.cloudflare_kv.store import Entry, Namespace
from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response

__all__ = ["FACTORY", "CloudflareKv"]

_ROUTE = re.compile(
    r".*?/accounts/(?P<account>[^/]+)/storage/kv/namespaces"
    r"(?:/(?P<namespace>[^/]+)(?:/(?P<rest>.+))?)?/?\Z"
)
_NAMESPACE_ID = re.compile(r"[0-9a-fA-F]{32}\Z")
_BEARER = re.compile(r"Bearer +(\S+)\Z", re.IGNORECASE)

_WRITE: Final = "Workers KV Storage Write"
_READ: Final = "Workers KV Storage Read"
"""What each method's page accepts: https://developers.cloudflare.com/api/resources/kv/
and how they are called: https://developers.cloudflare.com/fundamentals/api/reference/permissions/"""


class CloudflareKv:
    """Workers KV, strongly consistent: the strictest of what "eventual" allows.

    Args:
        settings: `account_id` and `namespace_id` are compared where they are given.
        secrets: any of their values is a valid API token.
        now: seconds since 1970; expiry follows it.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        now: Callable[[], float],
    ) -> None:
        self._account = settings.get("account_id")
        self._namespace = settings.get("namespace_id")
        self._tokens = frozenset(secrets.values())
        self._now = now
        self._namespaces: dict[str, Namespace] = {}

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        try:
            return self._route(request)
        except Refusal as refusal:
            return refused(refusal)

    def state(self) -> Mapping[str, Any]:
        """Every pair ever written and not deleted; expired ones too, since time is no effect."""
        return {
            "namespaces": {
                name: {key: namespace.entries[key].shown() for key in namespace.keys}
                for name, namespace in sorted(self._namespaces.items())
                if namespace.keys
            }
        }

    def reset(self) -> None:
        """Forget everything."""
        self._namespaces.clear()

    def scopes(self, request: Request) -> tuple[str, ...]:
        """The permissions any one of which the request needs."""
        reads = request.method == "GET" or request.raw_path.endswith("/bulk/get")
        return (_READ, _WRITE) if reads else (_WRITE,)

    def _route(self, request: Request) -> Response:
        found = _ROUTE.match(request.raw_path)
        if found is None:
            raise Refusal.not_routed(request.raw_path)
        self._authenticate(request, _decoded(found["account"]))
        if found["namespace"] is None:
            return self._list_namespaces(request)
        identifier = _decoded(found["namespace"])
        resource, _, key = (found["rest"] or "").partition("/")
        route = (request.method, resource)
        self._check_namespace(identifier, _VERBS.get(route, "get namespace"))
        namespace = self._namespaces.get(identifier)
        if namespace is None:
            namespace = self._namespaces[identifier] = Namespace()
        if resource in ("values", "metadata"):
            # A slash inside a key is written %2F; a bare one is another route.
            if not key or "/" in key:
                raise Refusal.not_routed(request.raw_path)
            return self._one(request, namespace, resource, rules.checked_key(_decoded(key)))
        return self._many(request, namespace, identifier, "/".join(filter(None, (resource, key))))

    def _authenticate(self, request: Request, account: str) -> None:
        header = request.header("authorization")
        if header is None:
            missing = "Missing X-Auth-Key, X-Auth-Email or Authorization headers"
            raise Refusal(400, 9106, missing)
        bearer = _BEARER.match(header)
        if bearer is None:
            raise Refusal(400, 6003, "Invalid request headers",
                          ((6111, "Invalid format for Authorization header"),))  # fmt: skip
        if bearer[1] not in self._tokens:
            raise Refusal(401, 10000, "Authentication error")
        # An account that the token cannot see is told like a token without the permission.
        if self._account is not None and account != self._account:
            raise Refusal(403, 10000, "Authentication error")

    def _check_namespace(self, identifier: str, verb: str) -> None:
        if identifier == self._namespace:
            return
        if _NAMESPACE_ID.match(identifier) is None and self._namespace is not None:
            raise Refusal(400, 10011, "could not parse UUID from request's namespace_id: 'uuid: "
                          f"incorrect UUID length: {identifier}'")  # fmt: skip
        if self._namespace is not None:
            raise Refusal(404, 10013, f"{verb}: 'namespace not found'")

    def _one(self, request: Request, namespace: Namespace, resource: str, key: str) -> Response:
        match request.method, resource:
            case "GET", "values":
                entry = namespace.live(key, self._now())
                if entry is None:
                    raise Refusal(404, 10009, "get: 'key not found'")
                headers = [("content-type", "application/octet-stream")]
                if entry.expiration is not None:
                    headers.append(("expiration", str(entry.expiration)))
                return Response(200, tuple(headers), entry.value)
            case "GET", "metadata":
                entry = namespace.live(key, self._now())
                if entry is None:
                    raise Refusal(404, 10009, "metadata: 'key not found'")
                return answer(entry.metadata)
            case "PUT", "values":
                namespace.put(self._pair(request, key))
                return answer({})
            case "DELETE", "values":
                namespace.delete(key)
                return answer({})
            case _:
                raise Refusal.not_allowed(request.method)

    def _pair(self, request: Request, key: str) -> Pair:
        query = _query(request)
        value, metadata = request.body, None
        content_type = request.header("content-type") or ""
        if content_type.lower().startswith("multipart/form-data"):
            try:
                fields = parse_form(content_type, request.body)
            except FormError as error:
                raise Refusal.not_parsed(f"could not parse form: {error}") from error
            if "value" not in fields:
                raise Refusal.not_valid("the form has no value")
            value = fields["value"]
            if "metadata" in fields:
                metadata = rules.decoded_json(fields["metadata"], "metadata")
        return Pair(
            key=key,
            value=rules.checked_value(value),
            expiration=rules.expiration_of(
                query.get("expiration_ttl"), query.get("expiration"), self._now()
            ),
            metadata=rules.checked_metadata(metadata),
        )

    def _many(
        self, request: Request, namespace: Namespace, identifier: str, resource: str
    ) -> Response:
        if len(request.body) > rules.BULK_REQUEST_SIZE_BYTES_MAX:
            raise Refusal.too_large("Request", len(request.body), rules.BULK_REQUEST_SIZE_BYTES_MAX)
        match request.method, resource:
            case "GET", "":
                return answer(_namespace_shown(identifier))
            case "GET", "keys":
                return self._list(request, namespace)
            case "PUT", "bulk":
                return self._bulk_put(request, namespace)
            case ("POST", "bulk/delete") | ("DELETE", "bulk"):
                return self._bulk_delete(request, namespace)
            case "POST", "bulk/get":
                return self._bulk_get(request, namespace)
            case _, "" | "keys" | "bulk" | "bulk/delete" | "bulk/get":
                raise Refusal.not_allowed(request.method)
            case _:
                raise Refusal.not_routed(request.raw_path)

    def _list_namespaces(self, request: Request) -> Response:
        if request.method != "GET":
            raise Refusal.not_allowed(request.method)
        names = [self._namespace] if self._namespace is not None else sorted(self._namespaces)
        result = [_namespace_shown(str(name)) for name in names]
        info = {
            "page": 1,
            "per_page": 20,
            "count": len(result),
            "total_count": len(result),
            "total_pages": 1,
        }
        return answer(result, info)

    def _list(self, request: Request, namespace: Namespace) -> Response:
        query = _query(request)
        limit = _limit(query.get("limit"))
        prefix = query.get("prefix", "")
        cursor = query.get("cursor", "")
        keys, now = namespace.keys, self._now()
        index = bisect_left(keys, prefix)
        if cursor:
            index = max(index, bisect_right(keys, _after(cursor)))
        result: list[dict[str, Any]] = []
        more = False
        for key in keys[index:]:
            if not key.startswith(prefix):
                break
            entry = namespace.live(key, now)
            if entry is None:
                continue
            if len(result) == limit:
                more = True
                break
            result.append(_listed(key, entry))
        last = result[-1]["name"] if more else None
        info = {"count": len(result), "cursor": "" if last is None else _cursor(last)}
        return answer(result, info)

    def _bulk_put(self, request: Request, namespace: Namespace) -> Response:
        items = rules.decoded_json(request.body, "the request body")
        if not isinstance(items, list):
            raise Refusal.not_parsed("the request body must be an array")
        now = self._now()
        elements = cast(list[Any], items)
        if len(elements) > rules.BULK_PUT_PAIRS_MAX:
            raise Refusal.not_valid(f"at most {rules.BULK_PUT_PAIRS_MAX} pairs a request")
        pairs = [rules.pair_of(item, now) for item in elements]
        for pair in pairs:
            namespace.put(pair)
        return answer({"successful_key_count": len(pairs), "unsuccessful_keys": []})

    def _bulk_delete(self, request: Request, namespace: Namespace) -> Response:
        keys = _keys(rules.decoded_json(request.body, "the request body"))
        if len(keys) > rules.BULK_DELETE_KEYS_MAX:
            raise Refusal.not_valid(f"at most {rules.BULK_DELETE_KEYS_MAX} keys a request")
        for key in keys:
            namespace.delete(key)
        return answer({"successful_key_count": len(keys), "unsuccessful_keys": []})

    def _bulk_get(self, request: Request, namespace: Namespace) -> Response:
        body = rules.decoded_json(request.body, "the request body")
        if not isinstance(body, dict):
            raise Refusal.not_parsed("the request body must be an object")
        fields = cast(dict[str, Any], body)
        keys = _keys(fields.get("keys"))
        kind, with_metadata = fields.get("type", "text"), fields.get("withMetadata", False)
        if not keys or len(keys) > rules.BULK_GET_KEYS_MAX:
            raise Refusal.not_valid(f"keys must name 1 to {rules.BULK_GET_KEYS_MAX} keys")
        if kind not in ("text", "json") or not isinstance(with_metadata, bool):
            raise Refusal.not_valid('type must be "text" or "json", withMetadata a boolean')
        values: dict[str, Any] = {}
        size_bytes = 0
        for key in keys:
            entry = namespace.live(key, self._now())
            values[key] = None if entry is None else _bulk_shown(entry, kind, with_metadata)
            size_bytes += 0 if entry is None else len(entry.value)
        if size_bytes > rules.BULK_GET_SIZE_BYTES_MAX:
            raise Refusal.too_large("Values", size_bytes, rules.BULK_GET_SIZE_BYTES_MAX)
        return answer({"values": values})


_VERBS: Final[Mapping[tuple[str, str], str]] = {
    ("GET", "values"): "get",
    ("PUT", "values"): "put",
    ("DELETE", "values"): "delete",
    ("GET", "metadata"): "metadata",
    ("GET", "keys"): "list keys",
    ("PUT", "bulk"): "bulk put",
    ("POST", "bulk"): "bulk get",
    ("DELETE", "bulk"): "bulk delete",
}
"""How the service begins a message about a namespace, by method and first segment."""


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Refusal.not_valid("the URL does not decode as UTF-8") from None


def _query(request: Request) -> dict[str, str]:
    text = request.target.partition("?")[2]
    try:
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise Refusal.not_valid("the URL does not decode as UTF-8") from None


def _limit(text: str | None) -> int:
    if text is None:
        return rules.LIST_LIMIT_MAX
    limit = rules.integer(text)
    if limit is None or not rules.LIST_LIMIT_MIN <= limit <= rules.LIST_LIMIT_MAX:
        raise Refusal.not_valid(
            f"list keys: 'Invalid limit of {text}. Please specify an integer from "
            f"{rules.LIST_LIMIT_MIN} to {rules.LIST_LIMIT_MAX}.'"
        )
    return limit


def _cursor(key: str) -> str:
    """Opaque, and sealed so that a made-up one is known as such."""
    raw = key.encode()
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()[:6] + raw).decode().rstrip("=")


def _after(cursor: str) -> str:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seal, key = raw[:6], raw[6:]
        if hashlib.sha256(key).digest()[:6] == seal:
            return key.decode()
    except ValueError:
        pass
    raise Refusal.not_valid("list keys: 'Invalid cursor.'")


def _listed(key: str, entry: Entry) -> dict[str, Any]:
    listed: dict[str, Any] = {"name": key}
    if entry.expiration is not None:
        listed["expiration"] = entry.expiration
    if entry.metadata is not None:
        listed["metadata"] = entry.metadata
    return listed


def _keys(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Refusal.not_parsed("keys must be an array of strings")
    items = cast(list[Any], value)
    if not all(isinstance(item, str) for item in items):
        raise Refusal.not_parsed("keys must be an array of strings")
    return [rules.checked_key(item) for item in items]


def _bulk_shown(entry: Entry, kind: str, with_metadata: bool) -> Any:
    try:
        value: Any = entry.value.decode()
    except UnicodeDecodeError:
        raise Refusal.not_valid("bulk get: values must be text-based") from None
    if kind == "json":
        value = rules.decoded_json(entry.value, "a value")
    if not with_metadata:
        return value
    shown: dict[str, Any] = {"value": value, "metadata": entry.metadata}
    if entry.expiration is not None:
        shown["expiration"] = entry.expiration
    return shown


def _namespace_shown(identifier: str) -> dict[str, Any]:
    return {"id": identifier, "title": identifier, "supports_url_encoding": True}


FACTORY = ReferenceFactory(wire="cloudflare-kv", create=CloudflareKv, failure=failure)
