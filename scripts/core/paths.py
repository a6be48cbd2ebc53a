"""Paths of data, models, songs and settings; ``LLM_MUSIC_GEN_HOME`` moves the user's files."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
HOME = Path(os.environ.get("LLM_MUSIC_GEN_HOME", ROOT))  # models, output and settings
MODELS = HOME / "models"
OUTPUT = HOME / "output"
SOUNDFONTS = HOME / "data" / "soundfonts"
SETTINGS = HOME / "data" / "persistent.json"
SESSION = HOME / "data" / "jukebox.json"  # playback position
LIBRARY = HOME / "data" / "library.db"  # index, rebuilt from the song files
ORDERS = HOME / "data" / "jobs.db"  # queued orders
PLAYLISTS = HOME / "data" / "playlists.json"
READER_CACHE = HOME / "data" / "reader"  # what other embedding models learned
SPEED = HOME / "data" / "speed.json"  # how fast songs are made here
MOOD_HISTORY = HOME / "data" / "moods.json"  # narration and feelings of the last songs
LIVE = HOME / "data" / "live"  # audio of songs that are still being rendered
PREVIEW = HOME / "data" / "preview"  # the song that the menu plays before it is ordered
HISTORY = HOME / "data" / "history.json"  # what was typed in the menu
WISHES = HOME / "data" / "wishes.json"  # named sets of wishes
LOG = HOME / "data" / "log"
