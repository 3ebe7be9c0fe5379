"""Places in the bases where twins and variants of them are edited."""

__all__ = [
    "ASKED",
    "EXCHANGE",
    "FORM",
    "GET",
    "GET_BY_HASH",
    "MOCK_GET",
    "PRESIGNED",
    "PUT",
    "REFUSED",
    "SENT",
    "again",
]

GET = '        return await self._ask("get", "GET", path, answers.value)\n'
EXCHANGE = "                answer = await transport.exchange(request)\n"
SENT = "        return self._read(operation, answer, read, writes=writes)\n"
PUT = '        await self._ask("put", "PUT", path, answers.envelope, body, content_type)\n'
FORM = "limits.metadata_text(metadata))\n        limits.expiry("
GET_BY_HASH = '        found = await self._read("get_by_hash", key, None, None, None)\n'
PRESIGNED = '        return f"https://{self._host}" + signing.presigned(method, self._host, path, **named)\n'
MOCK_GET = "        return None if stored is None else stored.value\n"
REFUSED = "            raise errors.refused(operation, answer.status, writes=writes, wait=wait)\n"
ASKED = "        request = Request(method, self._namespace + path, headers, body)\n"


def again(condition: str, attempts: str = "range(3)") -> str:
    """The exchange in a loop, gone through again under a condition."""
    return (
        f"                for _ in {attempts}:\n"
        "                    answer = await transport.exchange(request)\n"
        f"                    if not ({condition}):\n"
        "                        break\n"
    )
