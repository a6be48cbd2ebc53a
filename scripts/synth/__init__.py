"""Block-based synthesizer and mixer: renders an arrangement to audio."""
