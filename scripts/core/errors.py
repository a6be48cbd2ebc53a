"""The program's errors. Each message is one line: what is wrong, where, and what to do."""

from __future__ import annotations

from scripts.core.text import strip_control_chars


class MusicGenError(Exception):
    """Anything the program can explain; everything else is a bug."""

    exit_status = 1

    def __init__(self, message: str = "") -> None:
        """Control characters are removed: `message` may quote text from outside."""
        super().__init__(strip_control_chars(message))


class UsageError(MusicGenError):
    """The words of a command or a setting are off."""

    exit_status = 2


class NotationError(MusicGenError):
    """A text is not the music it claims to be."""


class ModelError(MusicGenError):
    """A GGUF file cannot be used, or its process failed."""


class CrashError(ModelError):
    """A model's process ended or fell silent; another try may go well."""


class StorageError(MusicGenError):
    """A file cannot be read or written."""


class HeldError(StorageError):
    """Another program holds a file open; what was to be written is kept."""


class NewerFileError(StorageError):
    """File written by a newer version of the program; it is left alone."""


class EncoderError(StorageError):
    """ffmpeg failed at one song; another try may go well."""


class SetupError(MusicGenError):
    """The program cannot be installed here."""


class Cancelled(MusicGenError):
    """The user stopped the work."""

    exit_status = 130
