"""Throw-away certificates for a lab: one authority that clients trust, and two ways to be wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["issue"]


def issue(directory: Path, hosts: Sequence[str]) -> tuple[Path, Mapping[str, Mapping[str, str]]]:
    """Write the certificates for these hosts.

    Returns:
        The authority's file, to be trusted by the clients, and for each kind of answer
        ("trusted", "untrusted certificate", "other host's certificate") its files.
    """
    import trustme

    directory.mkdir(parents=True, exist_ok=True)
    trusted, stranger = trustme.CA(), trustme.CA()
    bundle = directory / "authority.pem"
    trusted.cert_pem.write_to_path(str(bundle))
    issued = {
        "trusted": trusted.issue_cert(*hosts),
        "untrusted certificate": stranger.issue_cert(*hosts),
        "other host's certificate": trusted.issue_cert("other.example"),
    }
    files: dict[str, Mapping[str, str]] = {}
    for number, (kind, certificate) in enumerate(issued.items()):
        chain, key = directory / f"{number}.crt", directory / f"{number}.key"
        with chain.open("wb") as stream:
            for part in certificate.cert_chain_pems:
                stream.write(part.bytes())
        certificate.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        files[kind] = {"certificate": str(chain), "key": str(key)}
    return bundle, files
