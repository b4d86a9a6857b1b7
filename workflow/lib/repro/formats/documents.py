"""Documents: PNG by what its pixels are made of, PDF and SVG without dates and generated ids.

Synopsis:
    pixels(content) == pixels(other)
    compare_svg(findings, first, second)
    compare_pdf(findings, first, second)
"""

from __future__ import annotations

import re
import zlib

from repro.formats.findings import FileFindings
from repro.formats.masks import DATES, OBJECTS
from repro.formats.text import compare_text

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The chunks of the PNG specification that decide which colours are shown.
_SHOWN = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD"}
_MOST_PIXELS = 1 << 30


def pixels(content: bytes) -> tuple[bytes, ...]:
    """A PNG's header and colours, and its filtered pixels, decompressed; no texts and times.

    Where these are the same, so are all pixels; where they are not, a decoder has to be asked.

    Raises:
        ValueError: it is no PNG, or damaged.
    """
    if not content.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    shown: list[bytes] = []
    data: list[bytes] = []
    at = len(_SIGNATURE)
    while at + 12 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        body = content[at + 8 : at + 8 + length]
        if kind in _SHOWN:
            shown += [kind, body]
        elif kind == b"IDAT":
            data.append(body)
        elif kind in (b"fdAT", b"acTL", b"fcTL"):
            raise ValueError("an animation")
        at += 12 + length
        if kind == b"IEND":
            break
    else:
        raise ValueError("a PNG that ends too early")
    decoder = zlib.decompressobj()
    try:
        filtered = decoder.decompress(b"".join(data), _MOST_PIXELS)
    except zlib.error as error:
        raise ValueError(f"a damaged PNG ({error})") from None
    if not decoder.eof:
        raise ValueError("a damaged or very large PNG")
    return (*shown, filtered)


_ID = re.compile(r"""(?<=\bid=["'])[^"']+(?=["'])""")
_LOOKS_GENERATED = re.compile(
    r"(?=[^\s]*\d)[A-Za-z_-]{0,20}[0-9a-f]{8,}[\w-]*|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-.*"
)


def compare_svg(findings: FileFindings, left: str, right: str) -> None:
    """Compares two SVG texts; an id that looks generated counts as its place among the ids."""
    one, other = _numbered(left), _numbered(right)
    if one != left and (one == other or left != right):
        ids = [_LOOKS_GENERATED.findall(" ".join(_ID.findall(text))) for text in (left, right)]
        if ids[0] != ids[1]:
            findings.mask(OBJECTS)
    compare_text(findings, one, other)


def _numbered(text: str) -> str:
    ids = [name for name in dict.fromkeys(_ID.findall(text)) if _LOOKS_GENERATED.fullmatch(name)]
    if not ids:
        return text
    numbers = {name: f"id-{index}" for index, name in enumerate(ids)}
    names = "|".join(map(re.escape, sorted(ids, key=len, reverse=True)))
    return re.sub(rf"""(?<=["'#])(?:{names})(?=["')])""", lambda name: numbers[name[0]], text)


_PDF_DATE = rb"(?<=/CreationDate)\s*\([^()]*\)|(?<=/ModDate)\s*\([^()]*\)"
_XMP_DATE = rb"(?<=Date>)[^<>]*(?=</(?:xmp|dc):)"
_PDF_ID = rb"(?<=/ID)\s*\[\s*<[0-9A-Fa-f]*>\s*<[0-9A-Fa-f]*>\s*\]|(?<=uuid:)[0-9A-Fa-f-]{36}"
# Where objects lie, which follows from the length of the dates before them.
_POSITIONS = rb"(?<=startxref)\s+\d+|(?m:^\d{10} \d{5} [nf])"


def compare_pdf(findings: FileFindings, left: bytes, right: bytes) -> None:
    """Compares two PDF files without their dates, their ids and where their objects lie."""
    for kind, pattern in ((DATES, _PDF_DATE), (DATES, _XMP_DATE), (OBJECTS, _PDF_ID)):
        if re.findall(pattern, left) != re.findall(pattern, right):
            findings.mask(kind)
        left, right = (re.sub(pattern, b"", side) for side in (left, right))
    left, right = (re.sub(_POSITIONS, b"", side) for side in (left, right))
    if left != right:
        at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), -1)
        findings.differ("", f"{len(left)} bytes", f"{len(right)} bytes, the first at {at}")
