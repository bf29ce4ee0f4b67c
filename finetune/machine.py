"""Where a training runs: its device and precision, and which of several processes this one is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as together

from pipeline.errors import ConfigError

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Machine:
    """One process of a training run."""

    device: str = "cpu"  # as torch names it
    precision: Precision = "float32"  # of the multiplications; weights and sums stay float32
    rank: int = 0
    processes: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    @contextmanager
    def arithmetic(self) -> Iterator[None]:
        """A context in which new tensors lie on the device and multiplications have the precision."""
        kind = torch.device(self.device).type
        with ExitStack() as stack:
            if kind != "cpu":
                stack.enter_context(torch.device(self.device))
            if self.precision == "bfloat16":
                stack.enter_context(torch.autocast(kind, dtype=torch.bfloat16))
            yield

    def wrapped(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model on the device; with several processes, one that shares its gradients with theirs."""
        model.to(self.device)
        if self.processes == 1:
            return model
        devices = None if self.device == "cpu" else [torch.device(self.device)]
        return torch.nn.parallel.DistributedDataParallel(model, device_ids=devices)

    def random_states(self) -> list[dict[str, Any]]:
        """The state of chance of every process, by rank; each process must ask at the same time."""
        own = {"cpu": torch.get_rng_state()}
        if self.device != "cpu":
            own["cuda"] = torch.cuda.get_rng_state(self.device)
        if self.processes == 1:
            return [own]
        found: list[Any] = [None] * self.processes
        together.all_gather_object(found, own)
        return found

    def restore_random(self, states: list[dict[str, Any]]) -> None:
        """Take up this process's state of chance again."""
        torch.set_rng_state(states[self.rank]["cpu"])
        if self.device != "cpu" and "cuda" in states[self.rank]:
            torch.cuda.set_rng_state(states[self.rank]["cuda"], self.device)

    def summed(self, value: torch.Tensor) -> float:
        """The sum of a number over all processes."""
        if self.processes > 1:
            together.all_reduce(value)
        return float(value)


CPU = Machine()


@contextmanager
def opened(device: str = "auto", precision: str = "auto") -> Iterator[Machine]:
    """The machine of this process; under torchrun, one of several that train together.

    ``auto`` takes a GPU where there is one, and bfloat16 on it. Raises ConfigError for a device that is not there.
    """
    if device not in ("auto", "cpu", "cuda") or precision not in ("auto", "float32", "bfloat16"):
        raise ConfigError("--device is auto, cpu or cuda; --precision is auto, float32 or bfloat16")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("there is no GPU that this torch can use; train with --device cpu")
    kind = "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"
    chosen: Precision = "bfloat16" if precision == "bfloat16" or (precision == "auto" and kind == "cuda") else "float32"
    if kind == "cuda":
        # cuBLAS gives the same sums every time only with a workspace of its own, which it reads when it starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if not together.is_torchelastic_launched():
        yield Machine(kind, chosen)
        return
    together.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        place = f"cuda:{together.get_node_local_rank()}" if kind == "cuda" else "cpu"
        yield Machine(place, chosen, together.get_rank(), together.get_world_size())
    finally:
        together.destroy_process_group()
