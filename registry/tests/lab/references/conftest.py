"""An S3 reference behind a socket, and boto3 in front of it."""

import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import trustme
from botocore.config import Config
from flows_registry.lab.references.s3 import S3

from .serve import serve

BUCKET = "my-bucket"
ACCESS_KEY = "canary-access-key"
SECRET = "canary-secret"

ClientOf = Callable[..., Any]


@pytest.fixture
def reference() -> S3:
    return S3(
        {"bucket": BUCKET, "account_id": "x"},
        {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET},
        time.time,
        skew_seconds_max=900,
    )


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A throw-away certificate authority."""
    return trustme.CA()


@pytest.fixture
def https_url(reference: S3, authority: trustme.CA) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serve(reference, context) as url:
        yield url


@pytest.fixture
def url(reference: S3) -> Iterator[str]:
    with serve(reference) as url:
        yield url


@pytest.fixture
def client_of(url: str) -> Iterator[ClientOf]:
    """A boto3 client; keyword arguments are its credentials, its trust or its config."""
    opened: list[Any] = []

    def client_of(
        access_key: str = ACCESS_KEY,
        secret: str = SECRET,
        endpoint: str = url,
        verify: str | None = None,
        **config: Any,
    ) -> Any:
        settings = {"s3": {"addressing_style": "path"}, **config}
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            verify=verify,
            region_name="auto",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            config=Config(
                signature_version="s3v4",
                retries={"total_max_attempts": 1, "mode": "standard"},
                proxies={},
                **settings,
            ),
        )
        opened.append(client)
        return client

    yield client_of
    for client in opened:
        client.close()


@pytest.fixture
def s3(client_of: ClientOf) -> Any:
    return client_of()
