"""An endpoint's TLS certificate, made at every start and signed by a certificate authority of its own."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID_FOR = dt.timedelta(days=30)


@dataclass(frozen=True)
class Certificates:
    """Where the certificates of one start lie."""

    authority: Path  # the authority alone, for `sslrootcert`
    bundle: Path  # the authority and what this machine trusts already, for SSL_CERT_FILE
    context: ssl.SSLContext
    chain: Path  # the certificate and its key, where the key is kept


def make_certificates(folder: Path, *, keeps_key: bool = False) -> Certificates:
    """Makes a certificate authority, and a certificate for localhost that it signs.

    Args:
        folder: Where they go.
        keeps_key: Whether the key stays in a file, for a server that is a process of its own.
    """
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("Local AWS certificate authority")
    authority = (
        _certificate(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_authority_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        _certificate(_name("localhost"), authority_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    authority_file, bundle_file, chain_file = (folder / name for name in ("ca.pem", "bundle.pem", "server.pem"))
    authority_file.write_bytes(authority.public_bytes(pem))
    # SSL_CERT_FILE replaces what a program trusts: with the authority alone, nothing else could be reached any more
    bundle_file.write_bytes(authority.public_bytes(pem) + _trusted_already())
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain_file.touch(mode=0o600)
    chain_file.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain_file)
    if not keeps_key:
        chain_file.unlink()
    return Certificates(authority_file, bundle_file, context, chain_file)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + _VALID_FOR)
    )


def _authority_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _trusted_already() -> bytes:
    """The certificates that this machine trusts by default, where they lie in one file."""
    default = ssl.get_default_verify_paths().cafile
    return Path(default).read_bytes() if default else b""
