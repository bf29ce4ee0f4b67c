"""The loop of a data scientist: data, config and code are kept, a model is trained, measured and registered."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune import config as configs
from finetune import labels, runs
from finetune.config import Config, Source
from finetune.encoder import sha256
from finetune.machine import Machine
from finetune.runs import Places
from finetune.snapshots import Manifest, SnapshotStore, gathered
from finetune.snapshots.contents import Entry
from finetune.train import Step
from pipeline.errors import ConfigError, InputError
from pipeline.registry import Registry, Version
from pipeline.settings import DATA
from pipeline.store import Store

REVIEWED = "reviewed.tsv"
_REVIEWED_REPEAT = 3  # times a corrected sentence appears in an epoch: they are few, and about the calls at hand

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is to be trained, and from what."""

    config: Path
    work: Path  # checkpoints and what is being made
    datasets: Path | None = None  # None: only what the repository ships
    repository: Path = DATA.parent
    rows: Path | None = None  # folder of rows that were made before; None: below ``work``
    archives: tuple[Path, ...] = ()  # folders in NeMo's format that are trained on too


def shipped_config(task: str) -> Path:
    """The config that we ship for a task. Raises InputError for an unknown task."""
    path = Path(__file__).with_name("configs") / f"{task.replace('-', '_')}.yml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem.replace("_", "-") for p in path.parent.glob("*.yml")))
        raise InputError(f"there is no task {task!r}; known are {known}")
    return path


def restored(folder: Path, work: Path) -> Order:
    """The order to train again from a restored snapshot. Raises InputError where the folder is none."""
    if not (folder / "snapshot.json").is_file():
        raise InputError(f"{folder} is no restored snapshot; make it by `overtone snapshot restore ID {folder}`")
    return Order(folder / "config.yml", work, folder / "datasets", folder / "repository", folder / "rows")


def prepared(order: Order, machine: Machine, *, store: Store | None, say: Say) -> tuple[Config, Path, Places]:
    """The config as it will be run, the file that holds it, and its places; ``say`` is told what is left out.

    With ``store`` the corrections of reviewers are trained on too. Raises ConfigError with all faults of a config that
    cannot be run at all; other faults are told with the defects of the data.
    """
    made, faults = configs.examine(order.config)
    if made is None:
        raise ConfigError(f"config {order.config}: {len(faults)} faults, nothing trained:\n  " + "\n  ".join(faults))
    rows = order.rows or order.work / "rows"
    made = _without_datasets(made, say) if order.datasets is None else made
    if store is not None:
        made = _with_reviewed(made, store, rows, say)
    for number, archive in enumerate(order.archives, 1):
        made = _with_archive(made, archive, rows, f"archive-{number}")
    if not made.train:
        raise InputError(f"config {order.config}: without public data sets nothing is left to train on")
    name = made.task.replace("-", "_")
    path = order.work / f"{name}.yml"
    if machine.leads:
        order.work.mkdir(parents=True, exist_ok=True)
        path.write_text(configs.dumped(made), encoding="utf-8")
        notes = order.config.with_suffix(".notes.md")
        if notes.exists():
            shutil.copyfile(notes, path.with_suffix(".notes.md"))
    datasets = order.datasets or order.work / "no-datasets"
    places = Places(order.repository, datasets, order.work, order.work / "made" / name, machine, rows, tuple(faults))
    return made, path, places


def train(
    config: Config,
    path: Path,
    places: Places,
    *,
    registry: Registry,
    snapshots: SnapshotStore | None,
    by: str,
    on_step: Callable[[Step], None],
    say: Say,
) -> Version | None:
    """The registered version of a finished training; None in a process that does not lead.

    Files are kept before the training, so that what is snapshotted is what was trained on. Raises what runs raise.
    """
    notes = path.with_suffix(".notes.md")
    manifest, files = gathered(config, path, places)
    if snapshots is not None and places.machine.leads:
        snapshots.keep(manifest, files)
    shutil.rmtree(places.output, ignore_errors=True)
    runs.train_model(
        config, places, notes=notes.read_text(encoding="utf-8") if notes.exists() else "", on_step=on_step, say=say
    )
    if not places.machine.leads:
        return None
    kept = None
    if snapshots is not None:
        kept = snapshots.create(*with_model(manifest, files, places.output, registry))
        say(f"snapshot {kept.id[:12]} holds data, config, code and model")
    return registry.register(places.output, snapshot=kept.id if kept else "", by=by)


def with_model(
    manifest: Manifest, files: dict[str, Path], folder: Path, registry: Registry
) -> tuple[Manifest, dict[str, Path]]:
    """The manifest and files with those of a trained model; what a machine's pace decides stays out."""
    name = registry.name_of(folder)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    told = {key: value for key, value in card.items() if key != "speed"} | {"version": name}
    described = folder / "model.snapshot.json"
    described.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    more = {f"model/{file}": folder / file for file in card["files"]} | {"model/model.json": described}
    entries = {key: Entry(sha256(path), path.stat().st_size) for key, path in more.items()}
    made = dataclasses.replace(manifest, files={**manifest.files, **entries}, model=f"{card['name']}@{name}")
    return made, {**files, **more}


def _without_datasets(config: Config, say: Say) -> Config:
    """The config without the sources that lie among the public data sets."""

    def own(sources: Sequence[Source]) -> tuple[Source, ...]:
        return tuple(source for source in sources if source.root != "datasets")

    left = [s.path for s in (*config.train, *config.dev, *config.report) if s.root == "datasets"]
    if left:
        say(
            "no folder of public data sets (--datasets, OVERTONE_DATASETS): training on what the repository ships, "
            f"without {', '.join(dict.fromkeys(left))}"
        )
    return dataclasses.replace(config, train=own(config.train), dev=own(config.dev), report=own(config.report))


def _with_reviewed(config: Config, store: Store, rows: Path, say: Say) -> Config:
    if config.task != "sentiment":
        raise InputError("only sentiment is trained on reviewers' labels; give --archive FOLDER for intent-slot")
    found, kept = labels.held_out(labels.reviewed(store))
    if not found:
        raise InputError(
            f"the store holds no reviewed sentence to train on ({len(kept)} are held out for measuring); correct some "
            "on the Review page"
        )
    labels.write(found, rows / REVIEWED)
    say(f"{len(found)} reviewed sentences are trained on, {len(kept)} are held out (overtone evaluate --reviewed)")
    source = Source(REVIEWED, "reviewed", "rows", repeat=_REVIEWED_REPEAT)
    return dataclasses.replace(config, train=(*config.train, source))


def _with_archive(config: Config, archive: Path, rows: Path, name: str) -> Config:
    if config.task != "intent-slot":
        raise InputError("--archive holds intents and slots: it is for the task intent-slot")
    if not (archive / "dict.intents.csv").is_file():
        raise InputError(f"{archive} is no folder in NeMo's intent-slot format; `overtone archive export` makes one")
    shutil.copytree(archive, rows / name, dirs_exist_ok=True)
    source = Source(f"{name}/train.tsv", "nemo", "rows")
    return dataclasses.replace(config, train=(*config.train, source))
