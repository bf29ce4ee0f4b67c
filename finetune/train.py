"""The training loop: AdamW, warm-up, linear decay, length buckets; one seed gives one result, also after a kill.

A checkpoint holds model, optimiser, schedule and random state, and is replaced as a whole: a kill at any moment leaves
the last one usable, and the run that follows ends in the very weights of an undisturbed run (same machine, same
number of threads and processes).

Several processes (torchrun) read the same batches in the same order and take each its share of every batch; a row
counts as much as in a single process, so that only dropout tells the runs apart.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from finetune import model as models
from finetune.config import Training
from finetune.machine import CPU, Machine
from pipeline.errors import ConfigError


@dataclass(frozen=True)
class Example:
    """One tokenised input; ``target`` is what the task's loss understands."""

    ids: tuple[int, ...]
    target: Any
    weight: float = 1.0


@dataclass(frozen=True)
class Step:
    """Where a run stands after one step."""

    number: int  # 1-based
    total: int
    loss: float
    seconds_left: float  # from the mean of this process's steps


Loss = Callable[[nn.Module, Sequence[Example]], Tensor]


def plan(lengths: Sequence[int], batch_size: int, rng: random.Random) -> list[list[int]]:
    """Batches of example numbers in random order, of like length inside a batch; each number stands once."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    pool = batch_size * 50
    batches = []
    for start in range(0, len(order), pool):
        part = sorted(order[start : start + pool], key=lambda i: lengths[i])
        batches += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
    rng.shuffle(batches)
    return batches


def fit(
    model: nn.Module,
    examples_of: Callable[[int], Sequence[Example]],
    loss_of: Loss,
    settings: Training,
    *,
    checkpoint: Path | None = None,
    fingerprint: str = "",
    on_step: Callable[[Step], None] = lambda step: None,
    machine: Machine = CPU,
) -> None:
    """None; trains ``model`` in place and leaves it on the CPU, in evaluation mode.

    ``examples_of(epoch)`` gives the same examples each time it is asked for an epoch, and the same number in every
    epoch. With ``checkpoint`` the run continues from that file when it is there; ``fingerprint`` stands for config
    and data, and a checkpoint with another one raises ConfigError. Of several processes the leading one writes it and
    is told the steps.
    """
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True)
    examples = examples_of(0)
    per_epoch = -(-len(examples) // settings.batch_size)
    total = per_epoch * settings.epochs
    shared = machine.wrapped(model)
    if not machine.leads:
        # Each process drops out other units.
        torch.manual_seed(settings.seed * 1000 + machine.rank)
    groups = models.parameter_groups(
        model,
        learning_rate=settings.learning_rate,
        head_learning_rate=settings.head_learning_rate,
        layer_decay=settings.layer_decay,
        weight_decay=settings.weight_decay,
    )
    optimizer = torch.optim.AdamW(groups)
    warmup = max(1, round(settings.warmup_share * total))
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: min((done + 1) / warmup, (total - done) / max(1, total - warmup))
    )
    done = 0
    if checkpoint is not None and checkpoint.exists():
        done = _restore(checkpoint, fingerprint, model, optimizer, scheduler, machine)
    trained = [p for group in groups for p in group["params"]]
    model.train()
    started, first = time.monotonic(), done
    for epoch in range(done // per_epoch, settings.epochs):
        if epoch:
            examples = examples_of(epoch)
        batches = plan(
            [len(e.ids) for e in examples], settings.batch_size, random.Random(f"{settings.seed}:batches:{epoch}")
        )
        for numbers in batches[done - epoch * per_epoch :]:
            batch = [examples[i] for i in numbers]
            own, share = _share(batch, machine)
            with machine.arithmetic():
                loss = loss_of(shared, own) * share
            optimizer.zero_grad(set_to_none=True)
            # Gradients are averaged over the processes; the shares of a batch sum to 1.
            (loss * machine.processes).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, settings.clip_norm)
            optimizer.step()
            scheduler.step()
            done += 1
            if checkpoint is not None and (done % settings.checkpoint_every == 0 or done == total):
                _keep(checkpoint, fingerprint, done, model, optimizer, scheduler, machine)
            whole = machine.summed(loss.detach())
            pace = (time.monotonic() - started) / (done - first)
            if machine.leads:
                on_step(Step(done, total, whole, pace * (total - done)))
    model.to("cpu").eval()


def _share(batch: Sequence[Example], machine: Machine) -> tuple[Sequence[Example], float]:
    """This process's part of a batch, and the part's share of the batch's weight."""
    if machine.processes == 1:
        return batch, 1.0
    own = batch[machine.rank :: machine.processes]
    if not own:
        # The last batch may be smaller than the processes are many; all must take the step.
        return batch[:1], 0.0
    return own, sum(e.weight for e in own) / sum(e.weight for e in batch)


def _keep(
    path: Path, fingerprint: str, done: int, model: nn.Module, optimizer: Any, scheduler: Any, machine: Machine
) -> None:
    """None; the checkpoint file is the old or the new one, never a part."""
    states = machine.random_states()
    if not machine.leads:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    state = {
        "fingerprint": fingerprint,
        "done": done,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "random": states,
    }
    torch.save(state, part)
    part.replace(path)


def _restore(path: Path, fingerprint: str, model: nn.Module, optimizer: Any, scheduler: Any, machine: Machine) -> int:
    """The number of steps that the checkpoint holds; model, optimiser, schedule and random state continue from it."""
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as exc:
        raise ConfigError(f"checkpoint {path} cannot be read ({exc}); remove it to start afresh") from exc
    if state["fingerprint"] != fingerprint:
        raise ConfigError(
            f"checkpoint {path} belongs to another config or other data; remove it or name another --work"
        )
    if len(state["random"]) != machine.processes:
        raise ConfigError(
            f"checkpoint {path} is of {len(state['random'])} processes, not of {machine.processes}; go on with as many"
        )
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    machine.restore_random(state["random"])
    return int(state["done"])
