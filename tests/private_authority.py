"""Certificates that an authority signed which nobody else knows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Signed(NamedTuple):
    """Files in PEM."""

    authority: Path
    certificate: Path
    key: Path


def sign(folder: Path, places: Sequence[x509.GeneralName]) -> Signed:
    """Write the certificate of a server at these places, its key, and the authority that signed it."""
    now = datetime.now(UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    uses = [x509.KeyUsage(number == 1, *[False] * 4, number == 0, *[False] * 3) for number in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", "server")]
    authority, server = (
        x509.CertificateBuilder()
        .subject_name(names[number])
        .issuer_name(names[0])
        .public_key(keys[number].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        # What RFC 5280 demands of both, and Python from 3.13 on.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(keys[number].public_key()), critical=False)
        .add_extension(uses[number], critical=True)  # the server signs hand-shakes, the authority certificates
        .sign(keys[0], hashes.SHA256())
        .public_bytes(Encoding.PEM)
        for number in range(2)
    )
    found = Signed(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    found.authority.write_bytes(authority)
    found.certificate.write_bytes(server)
    found.key.write_bytes(keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return found
