"""Random histories through boto3: the S3 reference against a dictionary."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from flows_registry.lab.references.s3 import S3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import BUCKET

KEYS = st.sampled_from(["a", "a/", "a/b", "a/b/c", "b", "ü", "😀 +%2F"])
BODIES = st.binary(max_size=12)
METADATA = st.dictionaries(st.sampled_from(["m", "n"]), st.sampled_from(["1", "two words"]))
HISTORIES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, BODIES, METADATA, st.booleans()),
        st.tuples(st.just("get"), KEYS, st.integers(0, 12), st.integers(0, 12)),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("delete_many"), st.lists(KEYS, min_size=1)),
        st.tuples(st.just("copy"), KEYS, KEYS),
        st.tuples(st.just("parts"), KEYS, BODIES, st.booleans()),
        st.tuples(st.just("list"), st.sampled_from(["", "a", "a/"]), st.sampled_from(["", "/"])),
    ),
    max_size=20,
)
Model = dict[str, tuple[bytes, dict[str, str]]]


class Driver:
    """Each operation on the service and on the model, compared."""

    def __init__(self, s3: Any, model: Model) -> None:
        self.s3 = s3
        self.model = model

    def put(self, key: str, body: bytes, metadata: dict[str, str], create: bool) -> None:
        condition = {"IfNoneMatch": "*"} if create else {}
        try:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata, **condition)
        except ClientError:
            assert create
            assert key in self.model
        else:
            assert not (create and key in self.model)
            self.model[key] = body, metadata

    def get(self, key: str, start: int, length: int) -> None:
        stored = self.model.get(key)
        wanted = f"bytes={start}-{start + length}"
        try:
            got = self.s3.get_object(Bucket=BUCKET, Key=key, Range=wanted)
        except ClientError as error:
            absent = error.response["Error"]["Code"] == "NoSuchKey"
            assert absent == (stored is None)
            assert stored is None or start >= len(stored[0])
        else:
            assert stored is not None
            assert got["Body"].read() == stored[0][start : start + length + 1]
            assert got["Metadata"] == stored[1]

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=key)
        self.model.pop(key, None)

    def delete_many(self, keys: list[str]) -> None:
        self.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
        for key in keys:
            self.model.pop(key, None)

    def copy(self, source: str, target: str) -> None:
        named = {"Bucket": BUCKET, "Key": source}
        try:
            self.s3.copy_object(Bucket=BUCKET, Key=target, CopySource=named)
        except ClientError:
            assert source not in self.model
        else:
            self.model[target] = self.model[source]

    def parts(self, key: str, body: bytes, finish: bool) -> None:
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        named = {"Bucket": BUCKET, "Key": key, "UploadId": upload}
        etag = self.s3.upload_part(**named, PartNumber=1, Body=body)["ETag"]
        if finish:
            parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
            self.s3.complete_multipart_upload(**named, MultipartUpload=parts)
            self.model[key] = body, {}
        else:
            self.s3.abort_multipart_upload(**named)

    def list(self, prefix: str, delimiter: str) -> None:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": 2}
        )
        keys: list[str] = []
        prefixes: list[str] = []
        for page in pages:
            keys += [item["Key"] for item in page.get("Contents", [])]
            prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        expected_keys, expected_prefixes = [], []
        for key in sorted(self.model, key=str.encode):
            if not key.startswith(prefix):
                continue
            head, cut, _ = key[len(prefix) :].partition(delimiter or "\0")
            if not cut:
                expected_keys.append(key)
            elif f"{prefix}{head}{cut}" not in expected_prefixes:
                expected_prefixes.append(f"{prefix}{head}{cut}")
        assert keys == expected_keys
        assert prefixes == expected_prefixes


@pytest.mark.feature("P4-03")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=HISTORIES)
def test_any_history_ends_as_the_model_says(
    s3: Any, reference: S3, history: list[tuple[Any, ...]]
) -> None:
    reference.reset()
    driver = Driver(s3, {})
    for name, *arguments in history:
        getattr(driver, name)(*arguments)
    buckets = reference.state()["buckets"]
    objects = buckets.get(BUCKET, {"objects": {}, "uploads": {}})
    assert objects["uploads"] == {}
    seen = {
        key: (shown["size_bytes"], shown["metadata"]) for key, shown in objects["objects"].items()
    }
    assert seen == {key: (len(body), metadata) for key, (body, metadata) in driver.model.items()}
