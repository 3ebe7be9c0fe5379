"""The errors of the S3 API as R2 gives them: one table of code, status and sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["STATUS_CODES", "Refusal"]

# Where R2 documents a code, its status and sentence are R2's:
# https://developers.cloudflare.com/r2/api/error-codes/
# The rest are S3's: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_REFUSALS: Final[Mapping[str, tuple[int, str]]] = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed."),
    "AuthorizationQueryParametersError": (400, "The signature's query parameters are malformed."),
    "BadDigest": (400, "The checksum you specified did not match what we received."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed object size."),
    "EntityTooSmall": (
        400,
        "Your proposed upload is smaller than the minimum allowed object size.",
    ),
    "ExpiredRequest": (400, "Request has expired"),
    "IncompleteBody": (400, "The request body terminated unexpectedly"),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (403, "The Access Key Id you provided does not exist in our records."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket name is not valid."),
    "InvalidDigest": (400, "The checksum you specified is not valid."),
    "InvalidMaxKeys": (400, "MaxKeys params must be positive integer <= 1000."),
    "InvalidObjectName": (400, "The specified object name is not valid."),
    "InvalidPart": (400, "One or more of the specified parts could not be found."),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order."),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRegionName": (400, "The region name is not valid."),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidStorageClass": (400, "The storage class you specified is not valid."),
    "MalformedXML": (
        400,
        "The XML you provided was not well formed or did not validate against our published "
        "schema.",
    ),
    "MetadataTooLarge": (
        400,
        "Your metadata headers exceed the maximum allowed metadata size.",
    ),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist."),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (404, "The specified multipart upload does not exist."),
    "NotImplemented": (
        501,
        "A header or query you provided implies functionality that is not implemented",
    ),
    "NotModified": (304, "Not Modified"),
    "PreconditionFailed": (
        412,
        "At least one of the pre-conditions you specified did not hold.",
    ),
    "RequestTimeTooSkewed": (
        403,
        "The difference between the request time and the server's time is too large.",
    ),
    "ServiceUnavailable": (503, "Please reduce your request rate."),
    "SignatureDoesNotMatch": (
        403,
        "The request signature we calculated does not match the signature you provided. Check "
        "your secret access key and signing method.",
    ),
    "BucketConflict": (409, "The bucket you tried to change is being changed by another request."),
    "TooManyRequests": (429, "Reduce your concurrent request rate for the same object."),
    "Unauthorized": (401, "Unauthorized"),
    "XAmzContentSHA256Mismatch": (
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
}

STATUS_CODES: Final[Mapping[int, str]] = {
    400: "InvalidRequest",
    401: "Unauthorized",
    403: "AccessDenied",
    404: "NoSuchKey",
    405: "MethodNotAllowed",
    409: "BucketConflict",
    411: "MissingContentLength",
    412: "PreconditionFailed",
    416: "InvalidRange",
    429: "TooManyRequests",
    500: "InternalError",
    501: "NotImplemented",
    503: "ServiceUnavailable",
}
"""The code that a bare status means. Other 5xx come from the proxy in front of the service."""


@dataclass(eq=False)
class Refusal(Exception):
    """The service answers with an error document.

    Attributes:
        code: the error code; its status comes from the table.
        message: the sentence; "" is the table's.
        headers: what the answer carries besides.
    """

    code: str
    message: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        self.status, sentence = _REFUSALS[self.code]
        self.message = self.message or sentence
