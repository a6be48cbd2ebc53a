"""Plan of running a model: candidates, contexts and threads, by its size."""

from __future__ import annotations

from dataclasses import dataclass

TINY, SMALL = 50_000_000, 700_000_000  # weights
_CANDIDATES = 4  # of a small model; the songs do not depend on the number of threads


@dataclass(frozen=True)
class DecodingPlan:
    """Numbers of texts, contexts and threads with which a model writes.

    Parameters
    ----------
    candidates : int
        Sheets to write, of which the critic takes the best.
    contexts : int
        Contexts that decode at the same time, each with its own threads.
    sequences : int
        Texts that are decoded in one batch in each context.
    threads : int
        CPU threads of each context.
    prompt_threads : int
        CPU threads that decode the prompt.
    adapts : bool
        Whether the number of threads changes with the load; then nothing that the model writes may
        depend on it.
    """

    candidates: int
    contexts: int
    sequences: int
    threads: int
    prompt_threads: int
    adapts: bool = False

    @staticmethod
    def single(threads: int) -> DecodingPlan:
        """One text at a time, on at most so many threads."""
        return DecodingPlan(1, 1, 1, threads, threads, adapts=True)


def plan_decoding(parameters: int, threads: int) -> DecodingPlan:
    """Plan how a model with so many weights is run on `threads` CPU threads.

    - A tiny model takes longer to call than to compute: four texts are decoded in one batch on one
      thread, and no more than two such batches at the same time, as Python runs between them.
    - A small one writes its candidates in contexts of one thread each. Threads that share a token
      wait for each other hundreds of times for each, and one that another program holds up
      stops them all (docs/bench.md).
    - A large one writes a single candidate on all threads.
    """
    if parameters < TINY:
        return DecodingPlan(24, min(threads, 2), 4, 1, 1)
    if parameters < SMALL:
        return DecodingPlan(_CANDIDATES, min(threads, _CANDIDATES), 1, 1, threads)
    return DecodingPlan.single(threads)
