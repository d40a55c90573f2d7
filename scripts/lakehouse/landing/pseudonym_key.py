"""The key of the pseudonyms: a secret of the environment; or, for files that the whole world has, one that it has, too.

Which of the two it is does not depend on what data is called: whoever lands private files in a folder called `udacity`
must not get pseudonyms that everybody can work out. Files are public whose bytes are known to be, one by one.
"""

import hmac
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec

from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.landing import ledger
from lakehouse.storage import open_folder
from lakehouse.storage.folder import BLOCK_BYTES, Folder
from lakehouse.storage.source_files import SourceFile, look_into

KEY_VARIABLE = "PSEUDONYM_KEY"
FORMER_KEY_VARIABLE = "FORMER_PSEUDONYM_KEY"
MIN_KEY_CHARACTERS = 32
MIN_DISTINCT_CHARACTERS = 8  # of 64 hexadecimal digits made by chance, there are fewer once in 10^19 keys
PUBLIC_KEY = "public training data, about people who do not exist"
PUBLIC_FILES = Path(__file__).with_name("public_files.json")
SAMPLE_MANIFEST = "sample_data/sample.json"  # lists what the generator made, and nothing that was put there by hand
HOW_TO_MAKE_A_KEY = f"set {KEY_VARIABLE} to what `openssl rand -hex 32` prints"
_FINGERPRINT_OF = b"which key made these pseudonyms"
_FINGERPRINT_DIGITS = 16

Fingerprints = Mapping[str, int]
"""SHA-256 of the bytes of files, and the files' sizes."""


@dataclass(frozen=True)
class PseudonymKey:
    """The secret that decides the pseudonyms; it never shows when it is printed."""

    secret: bytes = field(repr=False)

    def pseudonym(self, email: str) -> str:
        """The pseudonym of an e-mail address, whose spelling does not matter."""
        return hmac.digest(self.secret, canonical_address(email).encode(), "sha256").hex()

    def derived(self, purpose: bytes) -> bytes:
        """32 bytes for another purpose, which tell nothing of the pseudonyms."""
        return hmac.digest(self.secret, b"\0" + purpose, "sha256")  # no address holds a zero

    @property
    def fingerprint(self) -> str:
        """What tells keys apart, and gives none away."""
        return hmac.digest(self.secret, _FINGERPRINT_OF, "sha256").hex()[:_FINGERPRINT_DIGITS]


PUBLIC = PseudonymKey(PUBLIC_KEY.encode())


def environment_key(variable: str = KEY_VARIABLE) -> PseudonymKey | None:
    """The key in the environment, strong or weak; None without one."""
    secret = os.environ.get(variable, "").strip()
    return PseudonymKey(os.fsencode(secret)) if secret else None


def secret_key(why: str) -> PseudonymKey:
    """The key in the environment, which must be a secret that nobody can guess.

    Args:
        why: Why there must be one, for the person who has none.

    Raises:
        LandingError: There is none, or somebody could guess it.
    """
    key = environment_key()
    if key is None:
        raise LandingError(
            f"{why}, and there is no key for the pseudonyms: {HOW_TO_MAKE_A_KEY}, "
            "and keep it: with another key, customers get other pseudonyms"
        )
    weakness = _weakness(os.fsdecode(key.secret))
    if weakness:
        raise LandingError(
            f"{KEY_VARIABLE} {weakness}: {HOW_TO_MAKE_A_KEY}; where pseudonyms were made with it before, "
            ".venv/bin/lakehouse pseudonymise --new-key replaces them"
        )
    return key


def _weakness(secret: str) -> str | None:
    """Why somebody could guess a key; the key itself must not show."""
    if len(secret) < MIN_KEY_CHARACTERS:
        return f"has {len(secret)} characters, {MIN_KEY_CHARACTERS} are the least"
    if secret == PUBLIC_KEY:
        return "is the key of public data, which everybody can read"
    if len(set(secret)) < MIN_DISTINCT_CHARACTERS:
        return f"is made of {len(set(secret))} different characters, {MIN_DISTINCT_CHARACTERS} are the least"
    if secret in (secret + secret)[1:-1]:
        return "repeats itself"
    return None


def public_fingerprints(project_dir: Path) -> Fingerprints:
    """The files about people that are known to be public: those of the known data sets, and the sample made here."""
    known: dict[str, dict[str, int]] = msgspec.json.decode(PUBLIC_FILES.read_bytes())
    return {sha: size for files in (*known.values(), _made_here(project_dir)) for sha, size in files.items()}


def _made_here(project_dir: Path) -> Fingerprints:
    """The files about people of the sample that lies in the project's folder; none without one."""
    try:
        manifest = (project_dir / SAMPLE_MANIFEST).read_bytes()
    except FileNotFoundError:
        return {}
    made: Fingerprints = msgspec.json.decode(manifest).get("people_files", {})
    return made


def key_of_landed(zone: str | Path, tables: Mapping[str, Table], public: Fingerprints) -> PseudonymKey:
    """The key for what a landing zone holds: the public one, or the secret where any file about people is not public.

    Public data always has the public key, also where a secret is set.

    Raises:
        LandingError: A secret is needed and there is none, or a weak one.
    """
    folder = open_folder(zone)
    return _key_for(next(_private_files(folder, tables, public), None))


def key_to_come(
    sources: Sequence[str], zone: str | Path, tables: Mapping[str, Table], public: Fingerprints, kept_out: str = ""
) -> PseudonymKey:
    """The key that `key_of_landed` will give after a load of sources: known before what takes minutes.

    Args:
        sources: Folders and S3 prefixes. Of their files only those are read that are as large as a public one.
        zone: The landing zone.
        tables: The declared tables, by name.
        public: The files that are known to be public.
        kept_out: A source that is not looked at, since it is made anew before it is landed.

    Raises:
        LandingError: A secret is needed and there is none, or a weak one; or a source cannot be read.
    """
    folders = [open_folder(source) for source in sources]
    named = {folder.location for folder in folders} | {kept_out}
    zone_folder = open_folder(zone)
    stay = (file for file in _private_files(zone_folder, tables, public) if file.source not in named)
    come = (file for folder in folders for file in _private_files_to_come(folder, zone_folder, tables, public))
    return _key_for(next(stay, None) or next(come, None))


def _key_for(private: SourceFile | None) -> PseudonymKey:
    return secret_key(f"{private.path} is not known to be public") if private is not None else PUBLIC


def _about_people(tables: Mapping[str, Table]) -> list[Table]:
    return [table for table in tables.values() if table.source_files and any(column.person for column in table.columns)]


def _private_files(zone: Folder, tables: Mapping[str, Table], public: Fingerprints) -> Iterator[SourceFile]:
    """The landed files about people that are not known to be public."""
    for table in _about_people(tables):
        for landed in ledger.read_ledger(zone, table.name).files.values():
            if landed.file.size and landed.file.sha256 not in public:
                yield landed.file


def _private_files_to_come(
    source: Folder, zone: Folder, tables: Mapping[str, Table], public: Fingerprints
) -> Iterator[SourceFile]:
    """The files about people in a source that are not known to be public."""
    found = look_into(source, [table for table in tables.values() if table.source_files])
    sizes = set(public.values())
    for table in _about_people(tables):
        table_ledger = ledger.read_ledger(zone, table.name)
        for file in found.files[table.name]:
            landed = table_ledger.files.get(file.key)
            if landed is not None and landed.file.version == file.version:
                fingerprint = landed.file.sha256
            else:
                fingerprint = _fingerprint(source, file) if file.size in sizes else None
            if file.size and fingerprint not in public:
                yield file


def _fingerprint(source: Folder, file: SourceFile) -> str:
    digest = sha256()
    for start in range(0, file.size, BLOCK_BYTES):
        digest.update(source.fetch(file.source_file, start, BLOCK_BYTES).content)
    return digest.hexdigest()
