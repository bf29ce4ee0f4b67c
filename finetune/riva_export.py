"""`.nemo` to `.riva` by NVIDIA's converter, and the command lines that deploy it on a Riva server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from pipeline.errors import BackendError

# nemo2riva ends with exit code 0 whatever happens, so its log decides.
_FAILED = re.compile(r"\b(ERROR|CRITICAL|Traceback|Failed|failed to)\b")
_KINDS = {"intent-slot": "intent_slot", "asr": "speech_recognition"}
_KEY = "tlt_encode"  # NVIDIA's default key: the file is not secret


def convert(python: Path, model: Path, output: Path) -> Path:
    """The `.riva` file that was made of a `.nemo`. Raises BackendError with the line of the log that says why not."""
    output.parent.mkdir(parents=True, exist_ok=True)
    before = output.stat().st_mtime_ns if output.exists() else None
    options = ["--device", _device(python), "--out", str(output), "--key", _KEY]
    done = subprocess.run(
        [str(python.with_name("nemo2riva")), *options, str(model)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    log = output.with_suffix(".log")
    text = done.stdout + done.stderr
    log.write_text(text, encoding="utf-8")
    made = output.exists() and output.stat().st_mtime_ns != before
    bad = next((line for line in text.splitlines() if _FAILED.search(line)), "")
    if done.returncode or not made or bad:
        reason = bad.strip() or (text.strip().splitlines() or ["it said nothing"])[-1]
        raise BackendError(f"nemo2riva made no good {output.name} of {model.name}: {reason[:300]}; the log is {log}")
    return output


def _device(python: Path) -> str:
    """What the converter can work on: it asks for a GPU unless it is told that there is none."""
    asked = "import torch; print('cuda' if torch.cuda.is_available() else 'cpu')"
    done = subprocess.run([str(python), "-c", asked], capture_output=True, text=True, errors="replace", check=False)
    return (done.stdout.split() or ["cpu"])[-1]


def command_lines(kind: str, riva: Path, *, name: str) -> str:
    """A shell script that builds and deploys the model inside NVIDIA's containers, on a machine with a GPU."""
    task = _KINDS[kind]
    options = (
        " \\\n    --language_code=en-US --decoder_type=greedy" if kind == "asr" else f" \\\n    --domain_name={name}"
    )
    return f"""#!/bin/sh
# Run inside the container riva-speech (servicemaker) of your Riva release, on a machine with a GPU,
# with this folder mounted at /servicemaker-dev and Riva's model repository at /data.
set -e
riva-build {task} -f \\
    /servicemaker-dev/{name}.rmir:{_KEY} \\
    /servicemaker-dev/{riva.name}:{_KEY} \\
    --name={name}{options}
riva-deploy -f /servicemaker-dev/{name}.rmir:{_KEY} /data/models
"""
