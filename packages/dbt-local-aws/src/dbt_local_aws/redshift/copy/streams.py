"""A file of S3 as it is read: decompressed and decoded piece by piece, so that no file stands in memory as a whole."""

import bz2
import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from io import RawIOBase
from typing import IO, Any, cast

from dbt_local_aws.redshift.copy.pyarrow import pyarrow
from dbt_local_aws.redshift.errors import INTERNAL_ERROR, RedshiftError

PIECE_BYTES = 1 << 18

_INVALID_BYTE = re.compile("[\udc80-\udcff]")  # as surrogateescape decodes it


def decompressed(url: str, stream: RawIOBase, compression: str | None) -> Iterator[bytes]:
    """The bytes of a file, in pieces."""
    opened = _opened(stream, compression)
    try:
        while piece := opened.read(PIECE_BYTES):
            yield piece
    except (OSError, EOFError, zlib.error) as error:
        kind = (compression or "").upper()
        raise RedshiftError(INTERNAL_ERROR, f"The {kind} file {url} cannot be read", detail=str(error)) from error


def _opened(stream: Any, compression: str | None) -> IO[bytes]:  # noqa: ANN401 - more than it needs is asked for
    match compression:
        case "gzip":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
        case "bzip2":
            return cast("IO[bytes]", bz2.BZ2File(stream))
        case "zstd":
            arrow: Any = pyarrow("files that ZSTD compressed")
            return cast("IO[bytes]", arrow.CompressedInputStream(stream, "zstd"))
    return cast("IO[bytes]", stream)


def decoded(pieces: Iterator[bytes], replacement: str | None) -> Iterator[str]:
    """Its text, in pieces. A byte that is not UTF-8 becomes the replacement, or else a surrogate."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    for piece in pieces:
        yield _replaced(decoder.decode(piece), replacement)
    yield _replaced(decoder.decode(b"", final=True), replacement)


def _replaced(text: str, replacement: str | None) -> str:
    if replacement is None or text.isascii():
        return text
    return _INVALID_BYTE.sub(replacement.replace("\\", "\\\\"), text)
