"""How long an alert takes from the end of speech to the webhook that gets it, on live calls with the embedded engines.

Six two-sided sample calls at once, at the pace of time, through the gateway as a process; a rule that nearly every
sentence sets off; a web server of our own that notes when it was told. All clocks are this machine's.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline import audio, embedded, samples
from pipeline.alerts import book
from pipeline.settings import Settings
from tests.alerts.receivers import WebReceiver, web_receiver
from tests.bench.live_calls import phone_all, summary
from tests.live.phones import eventually, gateway, stereo

RULES = "rules:\n  - {name: said, cooldown_s: 0, when: {says: [a, and, i, is, it, my, the, to, we, you, your]}}\n"
_WARM_UP_S = 10.0  # of each call, whose sentences do not count


def measure(folder: Path, *, calls: int = 6, seconds: float = 60.0) -> dict[str, Any]:
    """Milliseconds from the end of speech, and from storing, to the webhook; alerts, and how many of them were lost."""
    recordings = []
    for number in range(calls):
        sample = samples.load()[number % len(samples.load())]
        recordings.append(stereo(audio.split(sample.audio, folder / "audio" / str(number)), 0.0, seconds))
    home = folder / "home"
    home.mkdir(parents=True)
    book.save(home, RULES)
    settings = Settings(home=folder / "server", serve_port=0)
    with web_receiver() as receiver, embedded.start(settings, os.environ) as server:
        uris = {"asr_uri": server.uri, "nlp_uri": server.uri, "tts_uri": server.uri}
        with gateway(home, **uris, alert_webhook=receiver.url) as running:
            eventually(lambda: running.health()["warm"])
            asyncio.run(phone_all(running, recordings))
            time.sleep(2.0)  # the last alerts and clocks follow their sentences
            times = _first_times(receiver)
            with running.store() as store:
                alerts = store.alerts(limit=100_000)
                clocks = {(clock.call_id, clock.index): clock for clock in store.clocks()}
                starts = {
                    (row.call.id, one.index): one.start_s
                    for row in store.calls(limit=1000).rows
                    for one in store.sentences(row.call.id)
                }
    told = [key for key in times if key in clocks and starts.get(key, 0.0) >= _WARM_UP_S]
    return {
        "calls": calls,
        "alerts": len(alerts),
        "lost": len({(alert.call_id, alert.index) for alert in alerts} - set(times)),
        "spoken_to_webhook_ms": summary([(times[key] - _at(clocks[key].spoken_at)) * 1000 for key in told]),
        "stored_to_webhook_ms": summary([(times[key] - _at(clocks[key].stored_at)) * 1000 for key in told]),
    }


def _first_times(receiver: WebReceiver) -> dict[tuple[str, int], float]:
    """When the alert of each sentence came, in seconds since 1970."""
    found: dict[tuple[str, int], float] = {}
    for at, (_, body) in zip(receiver.times, receiver.requests, strict=True):
        row = json.loads(body)
        found.setdefault((row["call"]["id"], row["sentence"]["index"]), at)
    return found


def _at(moment: Any) -> float:
    return float(moment.timestamp())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        given = [int(value) for value in sys.argv[1:]]
        print(json.dumps(measure(Path(folder), calls=given[0] if given else 6), indent=1))
