"""Twins that the policy check must refuse."""

from flows_registry.corpus.places import ASKED, REFUSED, SENT
from flows_registry.corpus.twin import Edit, Twin

__all__ = ["ANY_POLICY", "TWINS"]

_SCOPES = 'scopes = ["Workers KV Storage Write"]\n'
_EGRESS = 'egress = ["api.cloudflare.com:443"]\n'
_RESPONSE = "        with response:\n            headers ="
_TOKEN = 'headers["Authorization"]'


def _leaking(name: str, code: str, *edits: Edit, only: str = "") -> Twin:
    """A twin of which something shows where it does not belong."""
    return Twin(name, "urllib", edits, "policy", (code,), only)


def _said(name: str, code: str, statement: str) -> Twin:
    """A twin that says something before each request."""
    return _leaking(
        name, code, Edit("remote.py", ASKED, f"        {statement}\n{ASKED}"), only="remote/get"
    )


def _asks(name: str, code: str, old: str, new: str, policy: str = "", only: str = "") -> Twin:
    """A twin that asks for more, or says less, than it needs to."""
    edits = (Edit("capability.toml", old, new),)
    return Twin(name, "urllib", edits, "policy", (code,), only, policy=policy)


def _forbidden(name: str, code: str, policy: str) -> Twin:
    """The base itself, where an organisation asks for something else."""
    same = 'summary = "a subject to certify"', 'summary = "a subject"'
    return _asks(name, code, *same, ANY_POLICY + policy, only="remote/put")


_IMPORTS = Edit("remote.py", "import asyncio\n", "import asyncio\nimport logging\nimport base64\n")
ANY_POLICY = 'schema = 1\nname = "acme"\n'
_ENDED = (
    ANY_POLICY + '[[waivers]]\ncheck = "policy"\ncode = "POLICY108"\nplugin = "corpus-*"\n'
    'reason = "until the next release"\nowner = "storage@acme.example"\nexpires = 2020-01-31\n'
)


TWINS: tuple[Twin, ...] = (
    _leaking(
        "part of a secret in an error's cause",
        "SECR101",
        Edit(
            "remote.py",
            REFUSED,
            REFUSED.rstrip() + f" from ValueError(self._{_TOKEN}[-14:])\n",
        ),
    ),
    _leaking(
        "a secret in an error's note, in another form",
        "SECR101",
        _IMPORTS,
        Edit(
            "remote.py",
            REFUSED,
            "            problem = errors.refused(operation, answer.status, writes=writes, wait=wait)\n"
            f"            problem.add_note(base64.b64encode(self._{_TOKEN}.encode()).decode())\n"
            "            raise problem\n",
        ),
    ),
    _leaking(
        "a secret in a log line that nobody reads",
        "SECR101",
        _IMPORTS,
        Edit(
            "remote.py",
            ASKED,
            '        logging.getLogger("client.wire").debug("sending %s", headers)\n' + ASKED,
        ),
        only="remote/get",
    ),
    _said("a secret on standard error", "SECR101", "print(headers, flush=False)"),
    _said("a secret in a URL", "SECR101", f'path += "?via=" + {_TOKEN}.encode().hex()'),
    _said(
        "a secret in a header of another purpose", "SECR101", f'headers["User-Agent"] = {_TOKEN}'
    ),
    _leaking(
        "a secret in the provider's repr",
        "SECR101",
        Edit(
            "remote.py",
            "    def _opened(self)",
            '    def __repr__(self) -> str:\n        return f"RemoteKv({self._headers})"\n\n'
            "    def _opened(self)",
        ),
        only="remote/get",
    ),
    _leaking(
        "personal data in an error",
        "SECR102",
        Edit(
            "remote.py",
            SENT,
            "        if answer.status >= 400 and body:\n"
            "            raise errors.broken(operation, repr(body), writes=writes)\n" + SENT,
        ),
    ),
    _leaking(
        "personal data in a log line",
        "SECR102",
        _IMPORTS,
        Edit(
            "remote.py",
            ASKED,
            '        logging.getLogger("client.wire").info("sending %s", body)\n' + ASKED,
        ),
        only="remote/put",
    ),
    _asks(
        "a scope that nothing needs",
        "POLICY108",
        _SCOPES,
        _SCOPES.replace('"]', '", "Workers Scripts Write"]'),
    ),
    _asks("a scope that is not declared", "POLICY109", _SCOPES, _SCOPES.replace("Write", "Read")),
    _asks(
        "a host that is declared and never used",
        "EGRESS103",
        _EGRESS,
        _EGRESS.replace('"]', '", "backup.cloudflare.com:443"]'),
    ),
    Twin(
        "a setting that stands for any host",
        "urllib",
        (
            Edit("capability.toml", _EGRESS, 'egress = ["{hosts}"]\n'),
            Edit(
                "capability.toml",
                "timeout_seconds = {",
                'hosts = { type = "str", default = "*.cloudflare.com:443", '
                'example = "api.cloudflare.com:443" }\ntimeout_seconds = {',
            ),
            Edit(
                "config.py",
                "    timeout_seconds: float",
                '    hosts: str = ""\n    timeout_seconds: float',
            ),
        ),
        "policy",
        ("EGRESS104",),
    ),
    Twin(
        "a redirect that is followed",
        "urllib",
        (
            Edit(
                "transport.py",
                _RESPONSE,
                '        if elsewhere := response.headers.get("location"):\n'
                "            with contextlib.suppress(OSError):\n"
                "                response = opener.open(elsewhere, timeout=READ_SECONDS_MAX)\n"
                + _RESPONSE,
            ),
        ),
        "policy",
        ("EGRESS105",),
    ),
    _asks(
        "a data class that is not declared",
        "POLICY111",
        'classes = ["user_content"]\n',
        "",
        only="remote/put",
    ),
    _asks(
        "a residency that is not declared",
        "POLICY112",
        'residency = ["global"]\n',
        "",
        only="remote/put",
    ),
    _asks(
        "a waiver that has expired",
        "POLICY106",
        _SCOPES,
        _SCOPES.replace('"]', '", "Workers Scripts Write"]'),
        _ENDED,
    ),
    _asks(
        "a waiver that never ends",
        "POLICY001",
        'summary = "a subject to certify"',
        'summary = "a subject"',
        _ENDED.replace("expires = 2020-01-31\n", ""),
    ),
    _forbidden(
        "a host that the policy forbids",
        "POLICY102",
        '[egress]\nallow = ["*.example.com"]\n',
    ),
    _forbidden(
        "a scope that the policy forbids",
        "POLICY103",
        '[scopes]\nforbid = ["* Write"]\n',
    ),
    _forbidden(
        "a region and a data class that the policy forbids",
        "POLICY104",
        '[residency]\nallow = ["eu"]\n[data_classes]\nforbid = ["user_*"]\n',
    ),
)
