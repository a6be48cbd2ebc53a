"""Where things are. The project folder can be moved; a test can point it elsewhere."""

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
SESSION = HOME / "data" / "jukebox.json"  # where the listener was
LIBRARY = HOME / "data" / "library.db"  # made from the songs' files
JOBS = HOME / "data" / "jobs.db"  # orders of songs
PLAYLISTS = HOME / "data" / "playlists.json"
LOG = HOME / "data" / "log"
