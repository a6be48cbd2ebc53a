"""Model card of the starter model, from the figures of an evaluation report."""

from __future__ import annotations

from typing import Any

SOURCES = (
    (
        "folk",
        "O'Neill 1850, Aird, Ryan's Mammoth, miscFolk (in music21's corpus)",
        "old prints, public domain; distributed with the encoders' permission",
    ),
    ("chorales", "Bach chorales (in music21's corpus)", "public domain"),
    ("openewld", "OpenEWLD lead sheets", "MIT, public-domain scores"),
    ("hymnal", "Open Hymnal", "each hymn marked public domain"),
    ("lieder", "OpenScore Lieder, the voice with chords read from the piano", "CC0"),
    ("billboard", "McGill Billboard chord charts (Burgoyne, Wild, Fujinaga, ISMIR 2011)", "CC0"),
    ("progressions", "chord progressions with moods", "MIT"),
)


def format_card(report: dict[str, Any]) -> str:
    """Format a report as the Markdown of ``models/starter.md``."""
    free, used, real = report["free"], report["used"], report["real"]
    training, speed = report["training"], report["speed"]
    rows = [
        ("tunes that music21 parses", _percent(free["parse"]), _percent(used["parse"]), ""),
        (
            "bars of the right length",
            _percent(free["bars_exact"]),
            _percent(used["bars_exact"]),
            "all, by selection",
        ),
        (
            "tunes with all bars of the right length",
            _percent(free["tunes_all_bars_exact"]),
            _percent(used["bars_exact"]),
            "",
        ),
        (
            "tunes with at least 95 % of notes in the requested scale",
            _percent(free["scale_95"]),
            _percent(used["in_scale_or_chromatic_style"]) + " *",
            _percent(real["scale_95"]),
        ),
        (
            "tunes with the requested parts and bars",
            _percent(free["form_as_asked"]),
            _percent(used["bars_as_asked"]),
            "",
        ),
        (
            "tunes that end on the tonic",
            "",
            _percent(used["ends_on_tonic"]),
            _percent(real["ends_on_tonic"]),
        ),
        (
            "longest run copied from a training tune, mean share of bars",
            "",
            _percent(used["copied_run_share"]["mean"]),
            _percent(real["copied_run_share"]["mean"]),
        ),
        (
            "the same, highest share",
            "",
            _percent(used["copied_run_share"]["max"]),
            _percent(real["copied_run_share"]["max"]),
        ),
        (
            "tunes with a copied run of over 12 %",
            "",
            _percent(used["copied_run_share"]["over_12_percent"]),
            _percent(real["copied_run_share"]["over_12_percent"]),
        ),
        (
            "tunes that repeat one bar over and over",
            "",
            str(used["one_bar_tunes"]),
            str(real["one_bar_tunes"]),
        ),
    ]
    bands = [
        (
            name.replace("_", " "),
            _format_band(used[name]),
            _format_band(real[name]),
            _percent(used[name]["inside_band"]),
        )
        for name in ("pitch_class_entropy", "scale_consistency", "groove_consistency")
    ]
    sources = report["sources"]
    lines = [
        "# Llm-Music-Gen Starter",
        "",
        "A language model of 5.1 million weights (llama architecture, 6 layers, 256 wide, 1,024 "
        "tokens, Q8_0). From a header it writes a lead sheet in ABC notation: a melody with chord "
        "symbols. MIT license. Made by `training/`; see docs/training.md.",
        "",
        "It knows old dance tunes, airs, hymns, art songs, the popular songs of 1900 to 1940 and "
        "the chords of later charts. It was not trained on melodies of lo-fi, dubstep, ambient, "
        "house or hip-hop; there the style's definition restricts what it can write.",
        "",
        "## What was it trained on?",
        "",
        "| source | sheets | license |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {sources.get(key, 0):,} | {license} |" for key, name, license in SOURCES]
    lines += [
        "",
        "Training transposes each sheet to random keys. Where a source has no chords, a Viterbi "
        "harmonizer adds them. No synthetic melodies are used.",
        "",
        "## How well does it write?",
        "",
        f"{training.get('minutes', 0):.0f} minutes on 2 cores, "
        f"{training.get('tokens', 0) / 1e6:.1f} million tokens; "
        f"{training.get('bits_per_character', 0):.3f} bits per character on held-out tunes "
        f"({training.get('body_bits_per_character', 0):.3f} without their headers).",
        "",
        f"Temperature 0.8, {free['tunes']} tunes for each column. *Free*: without a grammar, from "
        "the headers of held-out tunes, changed to request notes within the scale. *As used*: over "
        "all styles, with grammar, candidates and critic.",
        "",
        "| | free | as used | real held-out tunes |",
        "|---|---|---|---|",
    ]
    lines += [f"| {a} | {b} | {c} | {d} |" for a, b, c, d in rows]
    lines += [
        "",
        "\\* All notes in the scale; chromatic styles (bossa nova, fusion, jazz) always count.",
        "",
        "MusPy metrics, 5th / median / 95th percentile:",
        "",
        "| | as used | real | as used, within the real range |",
        "|---|---|---|---|",
    ]
    lines += [f"| {a} | {b} | {c} | {d} |" for a, b, c, d in bands]
    lines += [
        "",
        f"With the grammar it decodes at {speed['ratio']:.2f} of its free speed "
        f"({speed['grammar_tokens_per_second']:,.0f} and "
        f"{speed['free_tokens_per_second']:,.0f} tokens/s on one thread, measured "
        "alternately in one run).",
        "",
    ]
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %".replace(".0 %", " %")


def _format_band(values: dict[str, float]) -> str:
    return f"{values['p5']:.2f} / {values['median']:.2f} / {values['p95']:.2f}"
