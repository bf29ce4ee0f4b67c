"""What belongs into a snapshot of a training run: the files its config names, and the code that reads them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from finetune.config import Config
from finetune.encoder import sha256
from finetune.runs import Places
from finetune.snapshots.contents import Entry, Manifest

_PACKAGES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime", "numpy", "overtone")
_SOURCE = Path(__file__).resolve().parents[1]


def gathered(config: Config, config_path: Path, places: Places) -> tuple[Manifest, dict[str, Path]]:
    """The manifest of a run that is about to begin, and where each of its files is now.

    Files that are not there are left out: the run itself refuses them, with whatever else is wrong.
    """
    files = {"config.yml": config_path}
    notes = config_path.with_suffix(".notes.md")
    if notes.exists():
        files["config.notes.md"] = notes
    for source in (*config.train, *config.dev, *config.report):
        path = places.roots[source.root] / source.path
        files[f"{source.root}/{source.path}"] = path
        if source.format == "nemo":
            for beside in (f"{path.stem}_slots{path.suffix}", "dict.intents.csv", "dict.slots.csv"):
                files[f"{source.root}/{Path(source.path).with_name(beside)}"] = path.with_name(beside)
    for folder, kinds in ((config.teacher, ("*.json", "*.onnx")), (config.values, ("*.txt",))):
        for kind in kinds if folder else ():
            for path in sorted((places.repository / folder).glob(kind)):
                files[f"repository/{folder}/{path.name}"] = path
    files = {name: path for name, path in files.items() if path.is_file()}
    entries = {name: Entry(sha256(path), path.stat().st_size) for name, path in files.items()}
    machine = places.machine
    run = {"device": machine.device, "precision": machine.precision, "processes": str(machine.processes)}
    return Manifest(config.task, entries, code(_SOURCE), run), files


def code(source: Path) -> Mapping[str, str]:
    """What decides a result beside the data: revision and source of the trainer, and its packages."""
    made = {"source": _digest(source)}
    commit = _git(source, "rev-parse", "HEAD")
    if commit:
        made["commit"] = commit.strip()
        left = _git(source, "status", "--porcelain") + _git(source, "diff", "HEAD")
        made["not_committed"] = hashlib.sha256(left.encode()).hexdigest()[:16] if left else ""
    for package in _PACKAGES:
        try:
            made[package] = version(package)
        except PackageNotFoundError:
            continue
    return made


def _digest(source: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(source.rglob("*.py")):
        found.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def _git(source: Path, *arguments: str) -> str:
    """What git says; "" where the source is in no repository, or there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(source), *arguments], capture_output=True, text=True, errors="replace", check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout
