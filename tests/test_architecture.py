"""What import-linter cannot say: importing is cheap and has no effect, and only settings.py names our variables."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("pipeline", "dashboard", "finetune", "fulfillment")


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    code = "import sys, pipeline.cli; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    heavy = {"numpy", "pandas", "grpc", "riva", "onnxruntime", "faster_whisper", "sqlalchemy", "streamlit", "torch"}
    assert not loaded & heavy


@pytest.mark.parametrize("package", PACKAGES)
def test_only_settings_reads_our_variables(package: str) -> None:
    reading = re.compile(r"environ(\.get)?[\[(]\s*['\"]OVERTONE_|getenv\(")
    guilty = [str(p.relative_to(ROOT)) for p in (ROOT / package).rglob("*.py") if reading.search(p.read_text())]
    assert not guilty


def test_the_running_product_never_loads_torch() -> None:
    code = "import sys, pipeline.server.main, pipeline.backends; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"
