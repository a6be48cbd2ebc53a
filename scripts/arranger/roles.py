"""Which roles play in a section, and which of their patterns."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.arranger.events import Section

# Roles that play in each kind of section; all roles play in those not listed.
_SECTION_ROLES: dict[str, tuple[str, ...]] = {
    "intro": ("chords", "pad", "bass", "drums", "texture"),
    "build": ("chords", "bass", "drums", "melody", "percussion", "texture", "fx"),
    "bridge": ("melody", "chords", "pad", "bass", "arp", "texture"),
    "outro": ("chords", "bass", "pad", "melody", "texture"),
}
_PITCHED_ROLES = {"melody", "chords", "bass", "pad", "arp"}
_MIN_ENERGY = {"arp": 0.62, "percussion": 0.58}  # minimum section energy for a role to play
# Index of a section's pattern; 0 for those not listed.
_PATTERN = {"chorus": 1, "drop": 1, "bridge": 2, "build": 2, "solo": 3}


def section_roles(section: Section, everyone: Sequence[str]) -> tuple[str, ...]:
    """Roles that play in a section; all roles where it would be silent otherwise."""
    playing = _SECTION_ROLES.get(section.name, tuple(everyone))
    return playing if _PITCHED_ROLES & set(playing) & set(everyone) else tuple(everyone)


def is_resting(role: str, section: Section, verses_without_pad: int) -> bool:
    """Whether a role waits for a livelier section."""
    if role == "pad" and section.name == "verse":
        return section.occurrence < verses_without_pad
    return section.energy < _MIN_ENERGY.get(role, 0.0)


def choose_pattern(names: Sequence[str], section: Section) -> str:
    """Choose a pattern by section name; it changes after every two occurrences."""
    if not names:
        return ""
    return names[(_PATTERN.get(section.name, 0) + section.occurrence // 2) % len(names)]
