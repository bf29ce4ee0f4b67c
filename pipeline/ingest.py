"""Recordings into the store: each whole or not at all, each once, however often and wherever the run is killed.

What makes it so: a call's id comes from the file's bytes; the work on one call is claimed (see ``claims``), so that a
second worker passes it by; its audio folder is renamed into place before the one transaction that stores it; and a
claim that nobody holds any more tells the next run which audio was left without its call.
"""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline import analyse, audio, claims
from pipeline.asr import Recogniser
from pipeline.audio import Channel
from pipeline.calls import Call, SpeakerRole
from pipeline.errors import BackendError, CapabilityAbsent, ConfigError, InputError
from pipeline.media import SUFFIXES, shown
from pipeline.nlp import Classifier
from pipeline.store import Store

_GROUP = 8  # small files that one worker takes at a time, so that they share an ffmpeg process
_POLL_S = 0.1  # between two looks at a claim that another worker holds


@dataclass(frozen=True)
class Services:
    """What the analysis needs: the two clients, and the weights of the voice activity model."""

    recogniser: Recogniser
    classifier: Classifier
    voice_activity: Path


@dataclass(frozen=True)
class Details:
    """What the files do not say of their calls: the same for all calls of a run."""

    agent: str | None = None
    customer: str | None = None
    started_at: datetime | None = None  # aware; None: when the file was last changed
    channels: tuple[SpeakerRole, ...] = ("agent", "customer")  # who speaks on the channels, see speakers_of

    def __post_init__(self) -> None:
        if self.started_at is not None and self.started_at.tzinfo is None:
            raise ValueError("started_at must know its time zone")


@dataclass(frozen=True)
class Outcome:
    """What became of one file; ``message`` says why where it failed."""

    source: Path
    status: Literal["stored", "already", "failed"]
    call_id: str = ""
    sentences: int = 0
    duration_s: float = 0.0  # of the call
    seconds: float = 0.0  # of work
    message: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a run is: files done of all files, and the share of all their bytes, 0..1."""

    files_done: int
    files: int
    share: float
    source: Path  # the file that just moved on


def ingest(
    sources: Iterable[Path],
    *,
    store: Store,
    services: Services,
    audio_folder: Path,
    details: Details | None = None,
    jobs: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Outcome]:
    """What became of each file, as it happens; folders are searched for recordings.

    ``jobs`` files are worked on at once. ``on_progress`` is called from the workers' threads, one at a time. Closing
    the iterator stops the work.

    Files that cannot be used are outcomes, and the run goes on. Raises BackendError when a service or the store fails
    for good, ConfigError when the audio folder cannot be written; what was stored stays, the next run does the rest.
    """
    _recover(audio_folder, store)
    files, problems = expand(sources, apart_from=audio_folder)
    yield from problems
    run = _Run(store, services, audio_folder, details or Details(), _Meter(files, on_progress))
    yield from run.work(_groups(files, jobs), jobs)


def expand(sources: Iterable[Path], *, apart_from: Path | None = None) -> tuple[list[Path], list[Outcome]]:
    """The files to ingest, each once, in order; and an outcome for each folder without any or that cannot be read.

    In folders, at any depth, the files with an ending of a media file; hidden ones and those in ``apart_from`` are left
    out. A source that is not a folder is taken as it is.
    """
    files: dict[Path, None] = {}
    problems: list[Outcome] = []
    for source in sources:
        if not _is_folder(source):
            files[source] = None
            continue
        found = False

        def refuse(error: OSError) -> None:
            where = Path(str(error.filename))
            problems.append(Outcome(where, "failed", message=f"{shown(where)}: cannot be searched: {error.strerror}"))

        for top, folders, names in os.walk(source, onerror=refuse):
            here = Path(top)
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith(".")
                and (apart_from is None or (here / name).absolute() != apart_from.absolute())
            )
            for name in sorted(names):
                if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                    files[here / name] = None
                    found = True
        if not found:
            message = f"{shown(source)}: holds no recordings (wav, mp3, m4a, ogg, ...); name files to try them anyway"
            problems.append(Outcome(source, "failed", message=message))
    return list(files), problems


def speakers_of(source: Path, count: int, roles: Sequence[SpeakerRole]) -> tuple[SpeakerRole, ...]:
    """Who speaks on each of the ``count`` channels of ``source``; a mono recording's speaker is unknown unless given.

    Raises InputError where ``roles`` are not one per channel.
    """
    if len(roles) == count:
        return tuple(roles)
    if count == 1:
        return ("unknown",)
    raise InputError(
        f"{shown(source)}: it has {count} channels, and the channels' speakers are given as {','.join(roles)}; "
        "give one for each channel (--channels)"
    )


def forget(call_id: str, store: Store, audio_folder: Path) -> bool:
    """True after deleting a call with its audio; False where there is none."""
    with claims.claim(audio_folder / call_id):  # killed in between, it leaves the claim: the next ingest tidies up
        deleted = store.delete(call_id)
        shutil.rmtree(audio_folder / call_id, ignore_errors=True)
    return deleted


class _Stopped(Exception):  # noqa: N818 - not an error: the run was told to stop
    pass


class _Run:
    """One ingest: its workers share this."""

    def __init__(self, store: Store, services: Services, audio_folder: Path, details: Details, meter: _Meter) -> None:
        self._store, self._services, self._audio_folder = store, services, audio_folder
        self._details, self._meter = details, meter
        self._outcomes: queue.Queue[Outcome | BaseException | None] = queue.Queue()
        self._busy: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._stopping = threading.Event()

    def work(self, groups: Sequence[Sequence[Path]], jobs: int) -> Iterator[Outcome]:
        """The outcomes of all groups; then those of the files that another worker had claimed, when it is done."""
        yield from self._parallel(groups, jobs, wait=False)
        while not self._busy.empty():
            yield from self._parallel([[self._busy.get()]], 1, wait=True)

    def _parallel(self, groups: Sequence[Sequence[Path]], jobs: int, *, wait: bool) -> Iterator[Outcome]:
        pool = ThreadPoolExecutor(max(1, jobs), thread_name_prefix="ingest")
        try:
            for group in groups:
                pool.submit(self._guarded, group, wait=wait)
            left = len(groups)
            while left:
                outcome = self._outcomes.get()
                if outcome is None:
                    left -= 1
                elif isinstance(outcome, BaseException):
                    raise outcome
                else:
                    yield outcome
        finally:
            if left:
                self._stopping.set()
            pool.shutdown(cancel_futures=True)

    def _guarded(self, group: Sequence[Path], *, wait: bool) -> None:
        try:
            self._group(group, wait=wait)
            self._outcomes.put(None)
        except _Stopped:
            pass
        except OSError as error:
            said = f"cannot write the calls' audio to {self._audio_folder}: {error.strerror or error}"
            self._outcomes.put(ConfigError(f"{said}; make room there, or choose another OVERTONE_HOME"))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
            self._outcomes.put(error)

    def _group(self, group: Sequence[Path], *, wait: bool) -> None:
        """Converts the group's files together, then analyses and stores them one by one."""
        with ExitStack() as stack:
            claimed: list[_Claimed] = []
            for source in group:
                self._check_stop()
                began = time.monotonic()
                try:
                    before = _fingerprint(source)
                    call_id = audio.digest(source)[:16]
                except InputError as error:
                    self._failed(source, str(error), began)
                    continue
                if self._store.has(call_id):
                    self._finish(Outcome(source, "already", call_id, seconds=time.monotonic() - began))
                    continue
                folder = self._audio_folder / call_id
                scratch = stack.enter_context(claims.try_claim(folder))
                while scratch is None and wait:
                    self._stopping.wait(_POLL_S)
                    self._check_stop()
                    scratch = stack.enter_context(claims.try_claim(folder))
                if scratch is None:
                    self._busy.put(source)
                elif self._store.has(call_id):  # the other worker stored it between our question and our claim
                    self._finish(Outcome(source, "already", call_id, seconds=time.monotonic() - began))
                else:
                    claimed.append(_Claimed(source, call_id, scratch, before, time.monotonic() - began))
            began = time.monotonic()
            converted = audio.split_many([(one.source, one.scratch / "audio") for one in claimed])
            each_s = (time.monotonic() - began) / max(len(claimed), 1)
            for one, channels in zip(claimed, converted, strict=True):
                began = time.monotonic() - each_s - one.seconds
                try:
                    if isinstance(channels, InputError):
                        raise channels
                    self._finish(self._analyse(one, channels, began))
                except InputError as error:
                    self._failed(one.source, str(error), began, one.call_id)
                shutil.rmtree(one.scratch / "audio", ignore_errors=True)

    def _analyse(self, one: _Claimed, channels: tuple[Channel, ...], began: float) -> Outcome:
        speakers = speakers_of(one.source, len(channels), self._details.channels)
        if _fingerprint(one.source) != one.fingerprint:
            raise InputError(f"{shown(one.source)}: it changed while it was read; ingest it when its recorder is done")
        details = self._details
        call = Call(
            id=one.call_id,
            source=os.fsencode(one.source.name).decode("utf-8", "replace"),
            started_at=details.started_at.astimezone(UTC) if details.started_at else _changed_at(one.fingerprint),
            duration_s=max(channel.duration_s for channel in channels),
            speakers=speakers,
            agent=details.agent,
            customer=details.customer,
        )

        def moved(share: float) -> None:
            self._check_stop()
            self._meter.moved(one.source, share)

        parts = (self._services.recogniser, self._services.classifier, self._services.voice_activity)
        try:
            sentences = list(analyse.recording(call, channels, *parts, moved))
        except CapabilityAbsent:
            raise
        except BackendError as error:
            if error.retryable:
                raise
            raise InputError(f"{shown(one.source)}: {error}") from error  # the service fails at this file, not at all
        folder = self._audio_folder / one.call_id
        claims.publish(one.scratch / "audio", folder)
        try:
            stored = self._store.add(call, sentences)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        status: Literal["stored", "already"] = "stored" if stored else "already"
        return Outcome(one.source, status, call.id, len(sentences), call.duration_s, time.monotonic() - began)

    def _failed(self, source: Path, message: str, began: float, call_id: str = "") -> None:
        self._finish(Outcome(source, "failed", call_id, seconds=time.monotonic() - began, message=message))

    def _finish(self, outcome: Outcome) -> None:
        self._meter.done(outcome.source)
        self._outcomes.put(outcome)

    def _check_stop(self) -> None:
        if self._stopping.is_set():
            raise _Stopped


@dataclass(frozen=True)
class _Claimed:
    """A file whose call is ours to make, and what it took so far."""

    source: Path
    call_id: str
    scratch: Path
    fingerprint: tuple[int, int]
    seconds: float


class _Meter:
    """Adds up the progress of all files by their sizes."""

    def __init__(self, files: Sequence[Path], on_progress: Callable[[Progress], None] | None) -> None:
        self._on_progress = on_progress
        self._sizes = {source: float(max(_size(source), 1)) for source in files}
        self._total = sum(self._sizes.values()) or 1.0
        self._shares: dict[Path, float] = {}
        self._done: set[Path] = set()
        self._sum = 0.0
        self._lock = threading.Lock()

    def moved(self, source: Path, share: float) -> None:
        """``share`` (0..1) of the work on ``source`` is done."""
        with self._lock:
            self._sum += (share - self._shares.get(source, 0.0)) * self._sizes[source]
            self._shares[source] = share
            if self._on_progress:
                self._on_progress(
                    Progress(len(self._done), len(self._sizes), min(self._sum / self._total, 1.0), source)
                )

    def done(self, source: Path) -> None:
        """``source`` is done, one way or another."""
        self._done.add(source)
        self.moved(source, 1.0)


def _recover(audio_folder: Path, store: Store) -> None:
    """Removes what killed runs left: their scratch folders, and audio that was in place before its call was stored."""
    for folder in claims.abandoned(audio_folder):
        with claims.try_claim(folder) as scratch:
            if scratch is not None and not store.has(folder.name):
                shutil.rmtree(folder, ignore_errors=True)


def _groups(files: Sequence[Path], jobs: int) -> list[list[Path]]:
    """The files in order, small neighbours together, but in groups so small that every worker gets some."""
    most = min(_GROUP, max(1, len(files) // (2 * max(jobs, 1))))
    groups: list[list[Path]] = []
    for file in files:
        small = 0 < _size(file) <= audio.SMALL_BYTES
        if small and groups and len(groups[-1]) < most and 0 < _size(groups[-1][0]) <= audio.SMALL_BYTES:
            groups[-1].append(file)
        else:
            groups.append([file])
    return groups


def _fingerprint(source: Path) -> tuple[int, int]:
    """Size and time of last change; (0, 0) where there is no such file."""
    try:
        status = source.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _size(source: Path) -> int:
    return _fingerprint(source)[0]


def _changed_at(fingerprint: tuple[int, int]) -> datetime:
    """The time of last change; 1970 where a file claims a year that no calendar has."""
    try:
        return datetime.fromtimestamp(fingerprint[1] / 1e9, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _is_folder(source: Path) -> bool:
    try:
        return source.is_dir()
    except OSError:  # a parent that we may not enter: opening it says so
        return False
