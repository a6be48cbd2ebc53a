"""Renders the chat template of a GGUF file, within limits.

A template is a program of its author's. It runs in Jinja's sandbox, in the model's own process,
with limits of time, output and memory; whoever waits for that process ends it if it hangs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.core.errors import ChatTemplateError
from scripts.core.text import is_unicode

MAX_SECONDS = 2.0
MAX_OUTPUT_BYTES = 64 << 10
MAX_MEMORY_BYTES = 128 << 20  # on top of what the process uses
_MAX_TEMPLATE_CHARACTERS = 256 << 10


def render_chat_template(template: str, question: str, bos: str, eos: str) -> str:
    """Render a chat template with `question` as the only message.

    Returns
    -------
    str
        Empty when the template cannot be used: it refuses the message or is not Jinja.

    Raises
    ------
    ChatTemplateError
        When it fails in another way or exceeds a limit. The message does not name the model.
    """
    result: list[str] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            result.append(_render(template, question, bos, eos))
        except BaseException as error:
            failures.append(error)

    import jinja2.sandbox  # noqa: F401  # before the time is taken

    # The caller's process is ended when a template does not stop, so the thread may stay behind.
    thread = threading.Thread(target=work, daemon=True)
    with _limited_memory(MAX_MEMORY_BYTES):
        thread.start()
        thread.join(MAX_SECONDS)
    if thread.is_alive():
        raise ChatTemplateError(f"its chat template takes longer than {MAX_SECONDS:g} s")
    if result:
        return result[0]
    return _explain(failures[0])


def _explain(error: BaseException) -> str:
    """Return "" for a template that cannot be used; raise `ChatTemplateError` for a hostile one."""
    from jinja2 import TemplateError

    if isinstance(error, ChatTemplateError):
        raise error
    if isinstance(error, MemoryError):
        raise ChatTemplateError(f"its chat template needs more than {MAX_MEMORY_BYTES >> 20} MB")
    if isinstance(error, (TemplateError, TypeError, ValueError, KeyError, AttributeError)):
        return ""
    raise ChatTemplateError(f"its chat template fails ({type(error).__name__}: {str(error)[:80]})")


def _render(template: str, question: str, bos: str, eos: str) -> str:
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    if len(template) > _MAX_TEMPLATE_CHARACTERS:
        raise ChatTemplateError(
            f"its chat template is longer than {_MAX_TEMPLATE_CHARACTERS:,} characters"
        )
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, optimized=False
    )
    environment.globals["raise_exception"] = refuse
    pieces, size = [], 0
    for piece in environment.from_string(template).generate(
        messages=[{"role": "user", "content": question}],
        add_generation_prompt=True,
        bos_token=bos,
        eos_token=eos,
    ):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_OUTPUT_BYTES:
            raise ChatTemplateError(
                f"its chat template writes more than {MAX_OUTPUT_BYTES >> 10} kB"
            )
    text = "".join(pieces)
    if not is_unicode(text):
        raise ChatTemplateError("its chat template writes text that is not valid Unicode")
    return text


@contextmanager
def _limited_memory(more: int) -> Iterator[None]:
    """Limit this process's memory to `more` bytes above its present size, where possible.

    On Windows the parent process watches the size instead; on macOS nothing does.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + more
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
