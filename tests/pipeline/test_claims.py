from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline import claims

HOLDER = """
import sys, time
from pathlib import Path
from pipeline import claims
with claims.claim(Path(sys.argv[1])) as scratch:
    (scratch / "half").write_text("made")
    print("held", flush=True)
    time.sleep(60)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the claim on ``folder``, and has begun to work."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_claim_gives_an_empty_folder_and_takes_it_away(tmp_path: Path) -> None:
    with claims.claim(tmp_path / "call") as scratch:
        assert scratch.parent == tmp_path
        assert list(scratch.iterdir()) == []
        (scratch / "left").write_text("over")
    assert list(tmp_path.iterdir()) == []


def test_a_claim_goes_with_its_error(tmp_path: Path) -> None:
    def fail() -> None:
        with claims.claim(tmp_path / "call") as scratch:
            (scratch / "left").mkdir()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_publishing_replaces_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "call"
    for text in ("first", "second"):
        with claims.claim(folder) as scratch:
            (scratch / "made").mkdir()
            (scratch / "made" / text).write_text(text)
            claims.publish(scratch / "made", folder)
    assert [path.name for path in folder.iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["call"]


def test_what_one_process_claims_no_other_gets_until_it_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "call"
    process = holder(folder)
    try:
        with claims.try_claim(folder) as scratch:
            assert scratch is None
        assert claims.abandoned(tmp_path) == [folder]
    finally:
        process.kill()
        process.wait()
    assert claims.abandoned(tmp_path) == [folder]
    with claims.try_claim(folder) as scratch:
        assert scratch is not None
        assert list(scratch.iterdir()) == []
    assert claims.abandoned(tmp_path) == []


def test_threads_take_turns(tmp_path: Path) -> None:
    inside: list[int] = []
    most = []

    def work(number: int) -> None:
        for _ in range(20):
            with claims.claim(tmp_path / "call") as scratch:
                inside.append(number)
                most.append(len(inside))
                (scratch / "file").write_text(str(number))
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) == 1
    assert list(tmp_path.iterdir()) == []


def test_other_folders_are_not_abandoned_work(tmp_path: Path) -> None:
    (tmp_path / "0123456789abcdef").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".file.partial").write_text("")
    assert claims.abandoned(tmp_path) == []
    assert claims.abandoned(tmp_path / "nowhere") == []
