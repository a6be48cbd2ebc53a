"""Finds the score in a compressed MusicXML archive (``.mxl``)."""

from __future__ import annotations

import html
import io
import re
import zipfile

from scripts.core.errors import NotationError

MAX_XML_BYTES = 40 << 20  # bytes of MusicXML, decompressed
_CONTAINER = "META-INF/container.xml"
_MAX_CONTAINER_BYTES = 1 << 16
_ROOT_FILE = re.compile(r"""full-path\s*=\s*(["'])(.+?)\1\s*(?:/?>|[\w:-]+\s*=)""", re.DOTALL)


def unpack_mxl(data: bytes) -> bytes:
    """Extract the MusicXML from an ``.mxl`` archive.

    Raises
    ------
    NotationError
        If the archive is damaged, or its score is missing or larger than :data:`MAX_XML_BYTES`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            name = _find_score(archive)
            with archive.open(name) as file:
                found = file.read(MAX_XML_BYTES + 1)
    except NotationError:
        raise
    except Exception as error:  # each compression method raises errors of its own
        raise NotationError(f"MusicXML: the archive is damaged ({str(error)[:60]})") from error
    if len(found) > MAX_XML_BYTES:
        raise NotationError(f"MusicXML: the score is larger than {MAX_XML_BYTES >> 20} MB")
    return found


def _find_score(archive: zipfile.ZipFile) -> str:
    """Return the name that the container gives, else the first score in the archive.

    The container is searched rather than parsed: some programs write it without escaping the
    apostrophes of a title.
    """
    names = archive.namelist()
    if _CONTAINER in names:
        with archive.open(_CONTAINER) as file:
            text = file.read(_MAX_CONTAINER_BYTES).decode("utf-8", "replace")
        for _, path in _ROOT_FILE.findall(text):
            for name in (path, html.unescape(path)):
                if name in names:
                    return name
    scores = [
        n
        for n in names
        if not n.startswith(("META-INF/", "__MACOSX/")) and n.endswith((".xml", ".musicxml"))
    ]
    if not scores:
        raise NotationError("MusicXML: the archive contains no score")
    return scores[0]
