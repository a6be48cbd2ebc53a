"""Pipeline that teaches the reader moods: prepare, train, infer, evaluate."""
