"""Which lines of lyrics rhyme."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

from scripts.lyrics.english import find_phones
from scripts.lyrics.french import ends_mute
from scripts.lyrics.splitting import fold
from scripts.lyrics.syllables import Syllable
from scripts.lyrics.words import words_of

_FRENCH_ENDINGS = (
    (r"(?:eaux?|aux?|auds?|ots?|os|oh)$", "o"),
    (r"(?:ées?|és?|er|ez|et)$", "é"),
    (r"(?:ais|ait|aient|ets?|ês?|ai|aix|aie)$", "è"),
    (r"(?:ents?|ants?|ans?|ens|emps|angs?|ends?)$", "an"),
    (r"(?:ains?|eins?|ins?|aim|ints?)$", "in"),
    (r"(?:onts?|ons?|onds?|oms?)$", "on"),
    (r"(?:oux?|outs?|ous|oue)$", "ou"),
    (r"(?:eux?|eus|œux?)$", "eu"),
)
_SILENT_END = re.compile(r"[sxtdpz]+$")
_MUTE = re.compile(r"e(?:s|nt)?$")
_GLIDE = re.compile(r"^[iu](?=[aeo])")


def rhyme_scheme(lines: Sequence[Sequence[Syllable]], language: str) -> str:
    """Letters that tell which lines rhyme, such as ``ABAB``.

    Parameters
    ----------
    lines : sequence of sequence of Syllable
        Of one section, as :func:`~scripts.lyrics.syllables.split_line` returns them.
    language : str
    """
    keys: list[str] = []
    scheme = ""
    for syllables in lines:
        key = rhyme_key(syllables, language) or f"line {len(scheme)}"
        if key not in keys:
            keys.append(key)
        scheme += string.ascii_uppercase[keys.index(key) % 26]
    return scheme


def rhyme_key(syllables: Sequence[Syllable], language: str) -> str:
    """What the last word of a line shares with those that rhyme with it; empty without words."""
    if not syllables:
        return ""
    if language == "en":
        phones = find_phones(_last_word(syllables))
        if phones is not None:
            return _sounds_from_stress(phones)
    return _letters_from_stress(syllables, language)


def _last_word(syllables: Sequence[Syllable]) -> str:
    return syllables[-1].word.split(" ")[-1]


def _sounds_from_stress(phones: Sequence[str]) -> str:
    vowels = [i for i, phone in enumerate(phones) if phone[-1] in "012"]
    stressed = [i for i in vowels if phones[i][-1] in "12"] or vowels
    return " ".join(phone.rstrip("012") for phone in phones[stressed[-1] if stressed else 0 :])


def _letters_from_stress(syllables: Sequence[Syllable], language: str) -> str:
    stressed = [i for i, s in enumerate(syllables) if s.stressed]
    first = stressed[-1] if stressed and stressed[-1] >= len(syllables) - 3 else len(syllables) - 1
    text = "".join(s.text for s in syllables[first:]).lower().replace("'", "")
    if language == "fr":
        words = words_of(language)
        is_mute = words is not None and ends_mute(_last_word(syllables), words)
        return _french_sound(_MUTE.sub("", text) if is_mute else text)
    text = fold(text)
    vowel = re.search(r"[aeiouy]", text)
    return _GLIDE.sub("", text[vowel.start() :]) if vowel else text


def _french_sound(text: str) -> str:
    for ending, sound in _FRENCH_ENDINGS:
        if re.search(ending, text):
            return sound
    text = fold(_SILENT_END.sub("", text))
    vowels = list(re.finditer(r"[aeiouyœ]+", text))
    return text[vowels[-1].start() :] if vowels else text
