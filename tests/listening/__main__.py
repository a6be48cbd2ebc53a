"""``python -m tests.listening`` measures songs; with ``--taggers``, taggers listen to them;
with ``--moods``, songs of feelings are measured."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # Each needs packages that the other does not.
    if sys.argv[1:2] == ["--taggers"]:
        from tests.listening.recognize import recognize

        recognize(sys.argv[2:])
    elif sys.argv[1:2] == ["--moods"]:
        from tests.listening.moods import measure_moods

        measure_moods(sys.argv[2:])
    else:
        from tests.listening.analyze import analyze

        analyze(sys.argv[1:])
