"""The public list of defects and of sound oddities, and which plugin here stands for each."""

__all__ = ["ELSEWHERE", "PUBLIC", "SOUND_ITEMS"]

PUBLIC: dict[str, str] = {
    "undeclared write in a read": "a read writes",
    "write only on the error path": "a read writes on its error path",
    "egress by subprocess": "egress by a process",
    "telemetry to an undeclared host": "telemetry to another host",
    "over-declared write": "a declared write that never happens",
    "clock in the output": "the clock in the output",
    "uuid in the output": "a uuid in what is stored",
    "set order in serialised bytes": "the order of a set in what is stored",
    "repr address in a key": "an address in a key",
    "float sum in completion order": "a sum of floats in the order of their arrival",
    "listing order": "a directory as the system lists it",
    "Retry-After ignored": "Retry-After ignored",
    "401 swallowed into None": "401 swallowed into None",
    "403 retried": "403 retried",
    "unbounded retries": "a hundred retries",
    "doubled retry owner": "retries although the caller owns them",
    "truncated body accepted": "a truncated body accepted",
    "no read timeout": "no read timeout",
    "412 taken for success": "412 taken for success",
    "ETag ignored on a conditional put": "the etag ignored on a conditional put",
    "pagination drops a page": "a page dropped",
    "lost multipart part": "a lost part of a long stream",
    "TLS verification off": "TLS not verified",
    "POST replayed after reset-after-commit": "a lost write is sent again",
    "key contains the attempt number": "a receipt under a key with the attempt's number",
    "key by concatenation": "two keys that become one",
    "check-then-act race": "a put that loses another key",
    "last writer wins on reordered updates": "a put skipped because it was made before",
    "read-your-writes assumed on KV": "a read remembered for ever",
    "delete not idempotent": "delete twice fails",
    "secret in an exception": "a secret in an exception",
    "scope wider than used": "a scope that nothing needs",
    "wildcard egress": "a setting that stands for any host",
    "missing data class": "a data class that is not declared",
    "waiver without expiry": "a waiver that never ends",
    "all checks skipped": "a plugin that leaves nothing to see",
    "entry point broken": "an entry point that is not there",
    "a build hook that writes outside": "a build hook that writes outside",
    "a .pth that runs at start": "a .pth that runs at start",
}
"""Item of the public list → the twin that has the defect."""

ELSEWHERE: dict[str, str] = {
    "key without tenant": "an idempotency key is made by core_caps.keys, whose tests hold its parts apart",
    "stale certificate for other bytes": "comes with publishing: issue 5",
    "expired or unknown signature": "comes with publishing: issue 5",
    "POST retried with a key": "certified with cap-stripe, whose service keeps idempotency keys",
}
"""Item of the public list → why no plugin here stands for it."""

SOUND_ITEMS: dict[str, str] = {
    "timestamps in logs only": "timestamps in logs only",
    "monotonic for timeouts only": "monotonic time for timeouts only",
    "jitter from an injected RNG": "jitter from the injected source of randomness",
    "429 without Retry-After": "a client on bare sockets, which gives 429 without Retry-After and 404 as None",
    "local read cache within TTL": "a cache of what was read a second ago, dropped where this client writes",
    "honest eventual store": "an honest eventual store on urllib in threads",
    "lazy imports": "imports where they are needed first",
    "documented 404 → None": "a client on bare sockets, which gives 429 without Retry-After and 404 as None",
    "allow-listed C extension": "a client on aiohttp, which is half machine code",
    "parts uploaded out of order": "parts uploaded out of order",
    "hedged reads": "hedged reads",
    "a declared second host": "a second host, declared and used",
    "a pure plugin with no network": "a pure plugin with no network",
}
"""Item of the list of what must pass → the sound plugin that does it."""
