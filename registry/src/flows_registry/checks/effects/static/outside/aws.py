"""AWS clients: the operation's own verb says what it does.

Names: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import re

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.static.constants import texts
from flows_registry.checks.effects.static.outside.http import http_effects
from flows_registry.checks.effects.static.outside.rules import (
    Call,
    Rule,
    TypeModel,
    constructs,
    given,
    harmless,
    run_attached,
)
from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import (
    HOLE,
    NONE,
    UNKNOWN_DATA,
    Inst,
    Obj,
    Text,
    Value,
)

__all__ = ["AWS_FUNCTIONS", "AWS_TYPES", "aws_effects"]

_READS = frozenset(
    words(
        "get head list describe query scan search lookup select batch_get filter_log "
        "estimate preview transact_get validate all filter limit page_size pages load "
        "reload wait_until get_available_subresources"
    )
)
_WRITES = frozenset(
    words(
        "put delete copy create complete upload abort update send publish start stop tag "
        "untag restore write modify change terminate run invoke batch_write batch_delete "
        "batch_execute execute transact_write attach detach add remove set enable disable "
        "register deregister associate disassociate purge cancel import export receive "
        "initiate_multipart_upload rename download_file download_fileobj"
    )
)
_QUIET = frozenset(
    words(
        "__enter__ __exit__ __aenter__ __aexit__ __init__ close can_paginate exceptions "
        "waiter_names events region_name get_available_resources get_available_services"
    )
)
_ATTRIBUTES = frozenset(words("meta exceptions waiter_names _service_model _client_config"))


def aws_effects(operation: str) -> Effects | None:
    """What an operation does, by the verb its name begins with; None when that is unknown."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation).lower().split("_")
    for length in range(len(words), 0, -1):
        verb = "_".join(words[:length])
        if verb in _READS:
            return Effects.READ_ONLY
        if verb in _WRITES:
            return Effects.EFFECTFUL
    return None


def _operation(call: Call, operation: str, kind: str = "aws") -> None:
    effects = aws_effects(operation)
    if effects is None:
        call.machine.top(f"unknown AWS operation {operation!r}", call.node)
        return
    url = next((text.shown for text in _endpoint(call)), "")
    call.machine.sink(call.node, kind, operation, effects, method=operation, url=url)


def _endpoint(call: Call) -> list[Text]:
    if not isinstance(call.receiver, Inst | Obj):
        return []
    return [text for text in texts(given(call, call.receiver, -1, "endpoint_url")) if text.prefix]


def _by_name(call: Call) -> Value:
    """A method named after its operation."""
    run_attached(call)
    harmless(call)
    _operation(call, call.name)
    return UNKNOWN_DATA


def _by_argument(call: Call, *, kind: str = "aws") -> list[str]:
    """A method whose first argument names the operation."""
    named = call.args.at(0, "operation_name") | call.args.named("ClientMethod")
    exact = [text.pattern for text in texts(named) if text.exact]
    if not exact or any(not text.exact for text in texts(named)):
        call.machine.top(f"an AWS operation that is not constant in {call.path}", call.node)
    for operation in exact:
        _operation(call, operation, kind)
    return exact


def _api_call(call: Call) -> Value:
    _by_argument(call)
    return harmless(call)


def _presigned(call: Call) -> Value:
    """Mints a URL that permits the operation; `HttpMethod` replaces the operation's own."""
    _by_argument(call, kind="mint")
    for method in texts(call.args.at(3, "HttpMethod") - NONE):
        effects = http_effects(method.pattern) if method.exact else None
        if effects is None:
            call.machine.top("a presigned URL for an unknown method", call.node)
        else:
            detail = f"presign {method.pattern}"
            call.machine.sink(call.node, "mint", detail, effects, method=method.pattern)
    return UNKNOWN_DATA


def _presigned_post(call: Call) -> Value:
    call.machine.sink(call.node, "mint", "presign POST", Effects.EFFECTFUL, method="put_object")
    return UNKNOWN_DATA


def _paginates(call: Call) -> Value:
    """Reads page after page of the operation that the paginator was made for."""
    names = texts(given(call, call.receiver, 0, "operation_name")) if call.receiver else []
    for name in names or [Text(HOLE)]:
        if name.exact:
            _operation(call, name.pattern)
        else:
            call.machine.top("a paginator for an operation that is not constant", call.node)
    return frozenset({call.receiver}) if call.receiver else UNKNOWN_DATA


def _resource(call: Call) -> Value:
    """A resource's method: the operation itself, or (capitalised) a resource further down."""
    if call.name[:1].isupper():
        return constructs("boto3.resource")(call)
    _by_name(call)
    return frozenset({Inst("boto3.resource", id(call.node), call.machine.current)}) | UNKNOWN_DATA


def _attribute(call: Call) -> Value:
    """`client.meta.…`, `client.exceptions.…`: registering hooks and asking for names."""
    if ".events." in call.path or call.name.startswith("register"):
        if call.receiver is not None:
            call.machine.write(call.receiver, "*", call.args.everything())
        return UNKNOWN_DATA
    if ".meta.client." in call.path:
        return _by_name(call)
    return harmless(call)


def _quiet(extra: dict[str, Rule]) -> dict[str, Rule]:
    rules: dict[str, Rule] = dict.fromkeys(_QUIET, harmless)
    rules.update(dict.fromkeys(_ATTRIBUTES, _attribute))
    return rules | extra


def _signs(call: Call) -> Value:
    """Signs a URL with botocore's own signer: a credential for the request's method."""
    for request in call.args.at(0, "request"):
        for method in texts(given(call, request, 0, "method")) or [Text(HOLE)]:
            effects = http_effects(method.pattern) if method.exact else None
            if effects is None:
                call.machine.top("a presigned URL for an unknown method", call.node)
            else:
                detail = f"presign {method.pattern}"
                call.machine.sink(call.node, "mint", detail, effects, method=method.pattern)
    return UNKNOWN_DATA


_SIGNER = TypeModel(
    dict.fromkeys(("add_auth", "_inject_signature_to_request", "signature"), _signs), harmless
)


def _wait(call: Call) -> Value:
    call.machine.sink(call.node, "aws", "wait", Effects.READ_ONLY, method="wait")
    return UNKNOWN_DATA


def _managed(call: Call) -> Value:
    call.machine.sink(call.node, "aws", call.name, Effects.EFFECTFUL, method=call.name)
    return harmless(call)


_client = constructs("boto3.client")

AWS_TYPES: dict[str, TypeModel] = {
    "botocore.auth.S3SigV4QueryAuth": _SIGNER,
    "botocore.auth.SigV4QueryAuth": _SIGNER,
    "botocore.auth.HmacV1QueryAuth": _SIGNER,
    "boto3.client": TypeModel(
        _quiet(
            {
                "_make_api_call": _api_call,
                "generate_presigned_url": _presigned,
                "generate_presigned_post": _presigned_post,
                "get_paginator": constructs("boto3.paginator"),
                "get_waiter": constructs("boto3.waiter"),
            }
        ),
        _by_name,
    ),
    "boto3.paginator": TypeModel(_quiet({"paginate": _paginates}), harmless),
    "boto3.waiter": TypeModel(_quiet({"wait": _wait}), harmless),
    "boto3.resource": TypeModel(_quiet({}), _resource, {"client": "boto3.client"}),
    "boto3.Session": TypeModel(
        _quiet(
            {
                "client": _client,
                "create_client": _client,
                "resource": constructs("boto3.resource"),
            }
        ),
        harmless,
    ),
    "s3transfer.S3Transfer": TypeModel(_quiet({}), _by_name),
    "s3transfer.manager.TransferManager": TypeModel(
        _quiet(
            {
                "upload": _managed,
                "copy": _managed,
                "download": _managed,
                "delete": _managed,
                "shutdown": harmless,
            }
        ),
        _by_name,
    ),
}


AWS_FUNCTIONS: dict[str, Rule] = {
    "boto3.client": _client,
    "boto3.resource": constructs("boto3.resource"),
    "boto3.session.Session": constructs("boto3.Session"),
    "boto3.setup_default_session": harmless,
    "boto3.set_stream_logger": harmless,
    "botocore.session.get_session": constructs("boto3.Session"),
    "botocore.session.Session": constructs("boto3.Session"),
    "aiobotocore.session.get_session": constructs("boto3.Session"),
    "aioboto3.Session": constructs("boto3.Session"),
}
