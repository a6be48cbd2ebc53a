"""The language of lyrics."""

from __future__ import annotations

from collections.abc import Sequence

LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "nl", "sv", "pl", "ru", "tr", "ja")
_DEFAULT = "en"


def find_language(lines: Sequence[str]) -> str:
    """Code of the language of some lines, one of :data:`LANGUAGES`."""
    text = "\n".join(lines)
    if not any(c.isalpha() for c in text):
        return _DEFAULT
    import py3langid  # takes half a second

    py3langid.set_languages(list(LANGUAGES))
    return str(py3langid.classify(text)[0])
