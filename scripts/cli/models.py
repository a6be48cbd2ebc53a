"""``launcher.py models list`` and ``models check``."""

from __future__ import annotations

import argparse
from typing import Any

from scripts.cli.console import print_json, print_line
from scripts.core import paths
from scripts.core.settings import Settings
from scripts.llm.gguf_file import EMBEDDING_ARCHITECTURES, GgufInfo, read_gguf, read_language_model
from scripts.llm.registry import list_models as find_models


def list_models(args: argparse.Namespace, settings: Settings) -> int:
    """List the GGUF files in the models folder and their roles."""
    for entry in find_models(paths.MODELS, paths.DATA / "models.toml"):
        if args.json:
            properties = model_properties(entry.info) if entry.info else {}
            print_json(
                file=entry.path.name, problem=entry.problem, roles=list(entry.roles), **properties
            )
        elif entry.info:
            roles = " and ".join(entry.roles)
            print_line(f"{entry.path.name}: {describe_model(entry.info)}; {roles}")
        else:
            print_line(f"{entry.path.name}: {entry.problem}")
    return 0


def check(args: argparse.Namespace, settings: Settings) -> int:
    """Check whether a GGUF file can compose, or understand sentences."""
    info = read_gguf(args.file)
    if info.architecture not in EMBEDDING_ARCHITECTURES:
        info = read_language_model(args.file)
    if args.json:
        print_json(**model_properties(info))
    else:
        print_line(f"{info.name}: {describe_model(info)}")
    return 0


def model_properties(info: GgufInfo) -> dict[str, Any]:
    """Return the properties of a model for JSON output."""
    return {
        "name": info.name,
        "architecture": info.architecture,
        "quantisation": info.quantization,
        "parameters": info.parameters,
        "context": info.context,
        "bytes": info.file_bytes,
    }


def describe_model(info: GgufInfo) -> str:
    """Describe a model: architecture, size, quantization and context length."""
    size = info.parameters
    count = f"{size / 1e9:.1f} billion" if size > 1e9 else f"{size / 1e6:.1f} million"
    return (
        f"{info.architecture}, {count} weights, {info.quantization}, "
        f"{info.file_bytes / 1e6:,.0f} MB, context {info.context:,}"
    )
