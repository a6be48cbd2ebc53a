"""Graphics processors that llama.cpp can use, and how much of a model fits on them.

Runs in a process of its own: ``python -m scripts.llm.gpu`` prints one JSON line.
"""

from __future__ import annotations

import ctypes
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.core.child import ChildProcess
from scripts.core.system import estimate_model_memory
from scripts.llm.gguf_file import read_gguf

AUTO = "auto"
ALL_LAYERS = 9999  # llama.cpp offloads as many as there are
_GPU_TYPES = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU and _IGPU
_USABLE = 0.9  # share of the free memory that is used
_TIMEOUT = 30.0  # seconds for the process that looks


@dataclass(frozen=True)
class Gpu:
    """A graphics processor; memory in bytes."""

    name: str
    free: int
    total: int


def find_gpus() -> list[Gpu]:
    """Find the graphics processors; none where llama.cpp was built without support for them."""
    import llama_cpp

    if not llama_cpp.llama_supports_gpu_offload():
        return []
    from llama_cpp._ggml import libggml  # ggml has the devices, llama-cpp-python no names for them

    libggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    libggml.ggml_backend_dev_get.argtypes = (ctypes.c_size_t,)
    libggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    base = _device_library(libggml)
    found = []
    for number in range(libggml.ggml_backend_dev_count()):
        device = ctypes.c_void_p(libggml.ggml_backend_dev_get(number))
        if base.ggml_backend_dev_type(device) in _GPU_TYPES:
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
            name = base.ggml_backend_dev_description(device).decode("utf-8", "replace")
            found.append(Gpu(name, free.value, total.value))
    return found


def _device_library(libggml: Any) -> Any:
    """The library with the functions of devices; ggml-base in builds of several libraries."""
    library = libggml
    if not hasattr(libggml, "ggml_backend_dev_type"):
        from llama_cpp import _ctypes_extensions, _ggml

        library = _ctypes_extensions.load_shared_library("ggml-base", _ggml.libggml_base_path)
    library.ggml_backend_dev_type.restype = ctypes.c_int
    library.ggml_backend_dev_description.restype = ctypes.c_char_p
    for function in ("type", "description"):
        getattr(library, f"ggml_backend_dev_{function}").argtypes = (ctypes.c_void_p,)
    library.ggml_backend_dev_memory.restype = None
    library.ggml_backend_dev_memory.argtypes = (
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_size_t),
        ctypes.POINTER(ctypes.c_size_t),
    )
    return library


def count_layers(path: Path, wanted: str | int) -> int:
    """Decide how many layers of a model run on the graphics processors.

    Parameters
    ----------
    path : Path
        The GGUF file.
    wanted : str or int
        A number, or :data:`AUTO` for as many as fit.
    """
    if wanted != AUTO:
        return int(wanted)
    gpus = find_gpus()
    if not gpus:
        return 0
    info = read_gguf(path)
    layers = int(info.metadata.get(f"{info.architecture}.block_count", 0))
    return fitting_layers(sum(gpu.free for gpu in gpus), info.file_bytes, layers)


def fitting_layers(free: int, file_bytes: int, layers: int) -> int:
    """Compute how many of a model's layers fit in `free` bytes of memory."""
    needed = estimate_model_memory(file_bytes)
    room = free * _USABLE
    return ALL_LAYERS if needed <= room else int(layers * room / needed)


def find_gpus_elsewhere() -> list[Gpu] | None:
    """Find the graphics processors in a process of its own; None when it fails."""
    child = ChildProcess("scripts.llm.gpu")
    try:
        message = child.receive(_TIMEOUT)
        return None if message is None else [Gpu(**gpu) for gpu in message["gpus"]]
    except Exception:  # queue.Empty, or a library of an unknown build
        return None
    finally:
        child.kill()


if __name__ == "__main__":
    print(json.dumps({"gpus": [asdict(gpu) for gpu in find_gpus()]}), flush=True)
