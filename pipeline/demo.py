"""What `overtone up --samples` shows: the sample calls, ingested once, and one after the other of them played live."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle

from pipeline import ingest, samples
from pipeline.backends import Backends
from pipeline.calls import SpeakerRole
from pipeline.errors import OvertoneError
from pipeline.ingest import Details, Services
from pipeline.replay import replay
from pipeline.samples import Sample
from pipeline.settings import Settings

_BETWEEN_CALLS_S = 2.0
_SPEAKERS: tuple[SpeakerRole, ...] = ("agent", "customer")
_MARK = {"demo": "true"}  # on a replayed call, so that the next round can take the last one away


def show_samples(
    settings: Settings, environment: Mapping[str, str], stop: threading.Event, say: Callable[[str], None]
) -> None:
    """Ingest the sample calls that are not stored yet, and play them live in turn until ``stop`` is set.

    Each replay takes the place of the one before, so that the history holds the six calls and one more, however long
    this runs. What fails is said, not raised: the services beside it go on.
    """
    try:
        with Backends(settings, environment) as backends:
            calls = samples.load()
            services = backends.services
            history = threading.Thread(target=_ingest, args=(calls, services, backends, stop, say), name="history")
            history.start()
            try:
                for sample in cycle(calls):
                    rows = backends.store.calls(limit=1000).rows
                    before = [row.call for row in rows if _MARK.items() <= row.call.attributes.items()]
                    _play(sample, backends, stop)
                    for call in before:
                        ingest.forget(call.id, backends.store, settings.audio_folder)
                    if stop.wait(_BETWEEN_CALLS_S):
                        break
            finally:
                history.join()
    except OvertoneError as error:
        say(f"the sample calls stopped: {error}")


def _ingest(
    calls: Sequence[Sample], services: Services, backends: Backends, stop: threading.Event, say: Callable[[str], None]
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    stored = 0
    for age, sample in enumerate(calls):
        details = Details(sample.agent, sample.customer, now - timedelta(days=age, hours=2), _SPEAKERS)
        try:
            for outcome in ingest.ingest(
                [sample.audio],
                store=backends.store,
                services=services,
                audio_folder=backends.settings.audio_folder,
                details=details,
            ):
                stored += outcome.status == "stored"
                if outcome.message:
                    say(outcome.message)
        except OvertoneError as error:
            say(f"sample call {sample.name}: {error}")
        if stop.is_set():
            return
    if stored:
        say(f"{stored} sample calls are on the Calls page")


def _play(sample: Sample, backends: Backends, stop: threading.Event) -> None:
    replay(
        sample.audio,
        backends,
        agent=sample.agent,
        customer=sample.customer,
        speakers=_SPEAKERS,
        attributes=_MARK,
        stop=stop,
    )
