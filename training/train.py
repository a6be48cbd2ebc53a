"""Training loop: bucketed batches, Muon for matrices, AdamW for the rest, checkpoints.

An interrupted run resumes from its last checkpoint.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import sentencepiece
import torch
import torch.nn.functional as F

from scripts.score.sheet import LeadSheet, transpose
from training.corpus import format_document, load_sheets, transpositions
from training.model import Llama, Shape

BUCKETS = (128, 256, 384, 512, 768)
BATCH_TOKENS = 6144
# Mean draws of a sheet per epoch, relative between sources.
WEIGHTS = {
    "folk": 1.0,
    "openewld": 2.0,
    "chorales": 1.5,
    "hymnal": 1.5,
    "lieder": 0.8,
    "billboard": 0.3,
    "progressions": 0.5,
}


def sample_examples(
    sheets: list[tuple[str, LeadSheet]],
    rng: random.Random,
    sp: sentencepiece.SentencePieceProcessor,
) -> Iterator[list[int]]:
    """Yield token lists without end, each of a sheet in a random key that fits."""
    weights = [WEIGHTS[source] for source, _ in sheets]
    while True:
        for _, sheet in rng.choices(sheets, weights, k=len(sheets)):
            tokens = sp.encode(format_document(transpose(sheet, rng.choice(transpositions(sheet)))))
            yield [1, *tokens, 2]


def build_batches(source: Iterator[list[int]]) -> Iterator[torch.Tensor]:
    """Yield (rows, bucket + 1) int64 batches padded with -1, of about BATCH_TOKENS tokens."""
    pools: dict[int, list[list[int]]] = {b: [] for b in BUCKETS}
    for tokens in source:
        bucket = next((b for b in BUCKETS if len(tokens) <= b + 1), BUCKETS[-1])
        pool = pools[bucket]
        pool.append(tokens[: bucket + 1])
        if len(pool) == BATCH_TOKENS // bucket:
            batch = torch.full((len(pool), bucket + 1), -1)
            for i, row in enumerate(pool):
                batch[i, : len(row)] = torch.tensor(row)
            pool.clear()
            yield batch


class Muon(torch.optim.Optimizer):
    """Momentum optimizer with orthogonalized updates (Jordan et al. 2024), for 2-D weights."""

    def __init__(self, params: list[torch.nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: object = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = _orthogonalize(p.grad.lerp(buffer, group["momentum"]))
                scale = max(1.0, p.shape[0] / p.shape[1]) ** 0.5
                p.mul_(1 - group["lr"] * 0.1)
                p.add_(update.to(p.dtype), alpha=-group["lr"] * scale)


def _orthogonalize(g: torch.Tensor, steps: int = 5) -> torch.Tensor:
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    flip = x.shape[0] > x.shape[1]
    x = x.T if flip else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        y = x @ x.T
        x = a * x + (b * y + c * y @ y) @ x
    return x.T if flip else x


def compute_loss(model: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Compute the mean cross-entropy in nats over the tokens of a padded batch."""
    inputs, targets = batch[:, :-1].clamp(min=0), batch[:, 1:]
    with torch.autocast("cpu" if not batch.is_cuda else "cuda", torch.bfloat16):
        logits = model(inputs)
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-1)


@torch.no_grad()
def validate(
    model: torch.nn.Module, texts: list[str], sp: sentencepiece.SentencePieceProcessor, device: str
) -> tuple[float, float]:
    """Compute bits per character over whole documents, and over their bodies alone."""
    model.eval()
    nats = body_nats = 0.0
    chars = body_chars = 0
    for text in texts:
        tokens = [1, *sp.encode(text), 2][:2048]
        head = len(sp.encode(text[: text.index("\n", text.index("K:")) + 1]))
        x = torch.tensor([tokens], device=device)
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            logits = model(x[:, :-1])
        each = F.cross_entropy(logits.float()[0], x[0, 1:], reduction="none")
        nats += float(each.sum())
        body_nats += float(each[head:].sum())
        chars += len(text)
        body_chars += len(text) - text.index("\n", text.index("K:")) - 1
    model.train()
    ln2 = 0.6931471805599453
    return nats / chars / ln2, body_nats / body_chars / ln2


def train(
    data: Path,
    out: Path,
    minutes: float,
    shape: Shape,
    seed: int = 1,
    dropout: float = 0.08,
    device: str = "cpu",
    compiled: bool = True,
) -> None:
    """Train for `minutes` of wall time, resuming from a checkpoint in `out` if there is one.

    Writes ``model.pt``, ``log.jsonl`` and ``result.json`` to `out`.

    Parameters
    ----------
    data : Path
        Folder that ``prepare`` has written.
    compiled : bool
        Whether to use :func:`torch.compile`.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)
    sp = sentencepiece.SentencePieceProcessor(model_file=str(data / "tokenizer.model"))
    sheets = load_sheets(data / "train.jsonl")
    valid = [format_document(s) for _, s in load_sheets(data / "valid.jsonl")][:120]
    model = Llama(shape, dropout).to(device)
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
    rest = [p for n, p in model.named_parameters() if p.dim() != 2 or "embed" in n]
    muon = Muon(matrices, lr=0.02)
    adam = torch.optim.AdamW(rest, lr=3e-3, betas=(0.9, 0.95), weight_decay=0.01)
    spent, seen, step = 0.0, 0, 0
    checkpoint = out / "model.pt"
    out.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(saved["model"])
        muon.load_state_dict(saved["muon"])
        adam.load_state_dict(saved["adam"])
        spent, seen, step = saved["spent"], saved["seen"], saved["step"]
        rng.seed(seed + step)
    run = torch.compile(model, dynamic=False) if compiled else model
    start = last_save = time.monotonic()
    total = minutes * 60
    for batch in build_batches(sample_examples(sheets, rng, sp)):
        elapsed = spent + time.monotonic() - start
        if elapsed >= total:
            break
        done = elapsed / total
        rate = min(1.0, (step + 1) / 100) * (1.0 if done < 0.4 else max(0.02, (1 - done) / 0.6))
        for group in muon.param_groups:
            group["lr"] = 0.02 * rate
        for group in adam.param_groups:
            group["lr"] = 3e-3 * rate
        loss = compute_loss(run, batch.to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        muon.step()
        adam.step()
        muon.zero_grad()
        adam.zero_grad()
        seen += int((batch >= 0).sum())
        step += 1
        if time.monotonic() - last_save > 300 or step == 50:
            last_save = time.monotonic()
            whole, body = validate(model, valid, sp, device)
            _save(checkpoint, model, muon, adam, elapsed, seen, step)
            row = {
                "minutes": round(elapsed / 60, 1),
                "tokens": seen,
                "step": step,
                "loss": round(float(loss), 4),
                "bits": round(whole, 4),
                "body_bits": round(body, 4),
            }
            with (out / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(row) + "\n")
    _save(checkpoint, model, muon, adam, total, seen, step)
    whole, body = validate(
        model, [format_document(s) for _, s in load_sheets(data / "valid.jsonl")], sp, device
    )
    (out / "result.json").write_text(
        json.dumps(
            {
                "minutes": minutes,
                "tokens": seen,
                "bits_per_character": whole,
                "body_bits_per_character": body,
            }
        )
        + "\n",
        encoding="utf-8",
    )


def _save(
    path: Path,
    model: Llama,
    muon: Muon,
    adam: torch.optim.Optimizer,
    spent: float,
    seen: int,
    step: int,
) -> None:
    whole = path.with_suffix(".tmp")
    torch.save(
        {
            "model": model.state_dict(),
            "muon": muon.state_dict(),
            "adam": adam.state_dict(),
            "spent": spent,
            "seen": seen,
            "step": step,
            "shape": vars(model.shape),
        },
        whole,
    )
    whole.replace(path)
