"""Prompt and weight of a guide (:mod:`scripts.llm.guide`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guidance:
    """The guide's prompt and weight.

    Parameters
    ----------
    prompt : str
        What the guide continues with the text.
    weight : float
        0 for the larger model alone, which the guide then only rates; 1 for the guide alone.
    """

    prompt: str
    weight: float
