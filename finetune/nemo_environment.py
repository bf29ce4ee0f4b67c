"""Environments of their own for NeMo: its releases contradict each other's packages, and ours.

A job is one program with a JSON file in and a JSON file out, see nemo_jobs.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from finetune.encoder import sha256
from pipeline.errors import BackendError, ConfigError

INTENT_SLOT, ASR, RIVA = "intent-slot", "asr", "riva"
# What trained, resumed and inferred together. NeMo took intents and slots out after 2.4.1.
PINS: Mapping[str, tuple[str, ...]] = {
    INTENT_SLOT: (
        "torch==2.13.0", "nemo-toolkit[core,common-only]==2.4.1", "ijson", "megatron_core==0.12.2", "sacrebleu",
        "rouge_score", "jieba", "opencc", "pangu==4.0.6.1", "onnxscript",
    ),
    ASR: ("torch==2.13.0", "nemo-toolkit[asr]==3.0.0"),
    # torch after 2.8 exports through another converter, whose ONNX nemo2riva can only pack with its weights beside it.
    RIVA: (
        "torch==2.8.0", "nemo-toolkit[core,common-only,asr]==2.4.1", "ijson", "megatron_core==0.12.2", "sacrebleu",
        "rouge_score", "jieba", "opencc", "pangu==4.0.6.1", "onnx==1.18.0", "onnxruntime==1.23.2",
        "onnx-graphsurgeon==0.5.8", "nvidia-eff==0.6.5", "nvidia-eff-tao-encryption==0.1.8",
    ),
}  # fmt: skip
# Without what it requires: of that, nvidia-pyindex adds an index of NVIDIA's to pip's settings of the whole machine,
# and onnxruntime 1.21 cannot read what onnx 1.18, which it requires too, has written.
ALONE: Mapping[str, tuple[str, ...]] = {RIVA: ("nemo2riva==2.22.0",)}
_RIVA_PYTHON = "python3.10"  # the only one that NVIDIA's package for .riva files (nvidia-eff) can be installed on
_IMPORTS = {INTENT_SLOT: "nemo.collections.nlp", ASR: "nemo.collections.asr", RIVA: "nemo2riva"}
_JOBS = Path(__file__).with_name("nemo_jobs")


def folder(home: Path, name: str) -> Path:
    """Where the environment of a name lies in a home."""
    return home / "nemo" / name


def setup(home: Path, name: str, *, base: str = "", say: Callable[[str], None]) -> Path:
    """The Python of the environment, made or completed. Raises BackendError with pip's last line where it fails.

    ``base`` is the Python that makes it: this one by default, for riva one of version 3.10 on the PATH.
    """
    place = folder(home, name)
    python = place / "bin" / "python"
    if not python.exists():
        base = base or (_RIVA_PYTHON if name == RIVA else sys.executable)
        asked = " (give a Python 3.10 by --python)" if name == RIVA else ""
        _run([base, "-m", "venv", str(place)], f"the environment {place} cannot be made with {base}{asked}")
    say(f"installing {', '.join((*PINS[name], *ALONE.get(name, ())))} into {place} (this takes minutes)")
    install = [str(python), "-m", "pip", "install", "--quiet"]
    _run([*install, *PINS[name]], f"{name} cannot be installed into {place}")
    if name in ALONE:
        _run([*install, "--no-deps", *ALONE[name]], f"{name} cannot be installed into {place}")
    _run([str(python), "-c", f"import {_IMPORTS[name]}"], f"what was installed into {place} does not work")
    return python


def python_of(home: Path, name: str) -> Path:
    """The Python that has NeMo for a kind of job: the environment's; for asr, this one where it has NeMo.

    Raises ConfigError where neither is there.
    """
    python = folder(home, name) / "bin" / "python"
    if python.exists():
        return python
    if name == ASR:
        from importlib.util import find_spec

        if find_spec("nemo") is not None:
            return Path(sys.executable)
    how = " or pip install 'overtone[asr-train]'" if name == ASR else ""
    raise ConfigError(f"NeMo for {name} is not installed: overtone nemo setup {name}{how}")


def run(
    python: Path,
    job: str,
    given: Mapping[str, Any],
    above: Path,
    *,
    inputs: Sequence[Path] = (),
    say: Callable[[str], None],
) -> dict[str, Any]:
    """What the job wrote as its result. Raises BackendError with its last lines where it fails.

    The same job on the same ``inputs`` goes on where it was interrupted; another one has a folder of its own below
    ``above``. Checkpoints go when it is done.
    """
    told = json.dumps([job, dict(given), [sha256(path) for path in inputs]], sort_keys=True)
    work = above / hashlib.sha256(told.encode()).hexdigest()[:12]
    work.mkdir(parents=True, exist_ok=True)
    asked, answered, log = work / "job.json", work / "result.json", work / "log.txt"
    answered.unlink(missing_ok=True)
    asked.write_text(json.dumps({**given, "work": str(work), "result": str(answered)}, indent=1), encoding="utf-8")
    say(f"{job} runs; its log is {log}")
    with log.open("w", encoding="utf-8") as out:
        done = subprocess.run([str(python), str(_JOBS / f"{job}.py"), str(asked)], stdout=out, stderr=out, check=False)
    if done.returncode or not answered.exists():
        last = " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:])
        raise BackendError(f"the NeMo job {job} failed (exit code {done.returncode}): {last}; the whole log is {log}")
    for checkpoint in work.glob("*.ckpt"):
        checkpoint.unlink()
    return dict(json.loads(answered.read_text(encoding="utf-8")))


def _run(command: Sequence[str], failed: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise BackendError(f"{failed}: {error.strerror}") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise BackendError(f"{failed}: {last[0]}")
