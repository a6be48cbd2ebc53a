"""Exceptions. Each message is one line: what is wrong, where, and what to do."""

from __future__ import annotations

from scripts.core.text import shorten_message, strip_control_chars


class MusicGenError(Exception):
    """Base of all errors that are shown to the user; any other exception is a bug.

    Attributes
    ----------
    exit_status : int
        Exit status of the program.
    """

    exit_status = 1

    def __init__(self, message: str = "") -> None:
        """Replace control characters: `message` may quote text from files or models."""
        super().__init__(shorten_message(strip_control_chars(message)))


class UsageError(MusicGenError):
    """Invalid arguments or settings."""

    exit_status = 2


class NotationError(MusicGenError):
    """Invalid music notation: ABC, MusicXML, MIDI or a recipe."""


class ModelError(MusicGenError):
    """Unusable GGUF file, or failure of the process that runs the model."""


class ChatTemplateError(ModelError):
    """Chat template of a model that fails or exceeds its limits; it does so for every song."""


class CrashError(ModelError):
    """The process that runs the model exited or stopped responding; a retry may succeed."""


class StorageError(MusicGenError):
    """File that cannot be read or written."""


class FileInUseError(StorageError):
    """File that another program has open; the data to be written is kept."""


class NewerFileError(StorageError):
    """File written by a newer version of the program; it is left alone."""


class EncoderError(StorageError):
    """ffmpeg failed on one song; a retry may succeed."""


class SetupError(MusicGenError):
    """The program cannot be installed on this computer."""


class Cancelled(MusicGenError):
    """Work cancelled by the user."""

    exit_status = 130
