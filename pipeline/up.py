"""Everything at once: speech server, gateway, dashboard and, for a first look, the sample calls, one of them live."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping

from pipeline import embedded, relabel
from pipeline.backends import Backends
from pipeline.demo import show_samples
from pipeline.embedded import Child
from pipeline.errors import ConfigError, OvertoneError
from pipeline.registry import Registry
from pipeline.settings import EMBEDDED, Settings, variable

_CHECK_S = 0.5
_LONGEST_WAIT_S = 30.0
_STEADY_S = 60.0  # a service that ran this long has recovered: its next restart is immediate again

Say = Callable[[str], None]


class Service:
    """A child process that is started again when it ends by itself: at once, then after 1, 2, 4 … 30 s."""

    def __init__(self, name: str, launch: Callable[[], Child]) -> None:
        self.name = name
        self._launch = launch
        self._child: Child | None = None
        self._started = 0.0
        self._wait_s = 0.0

    def start(self) -> None:
        """Launch the process. Raises BackendError when it does not come up."""
        self._child = self._launch()
        self._started = time.monotonic()

    def keep(self, stop: threading.Event, say: Say) -> None:
        """Start the process again if it has ended; returns early when ``stop`` is set while waiting."""
        if self._child is not None and self._child.alive:
            return
        self.close()
        if time.monotonic() - self._started > _STEADY_S:
            self._wait_s = 0.0
        say(f"{self.name} ended; starting it again" + (f" in {self._wait_s:.0f} s" if self._wait_s else ""))
        if stop.wait(self._wait_s):
            return
        self._wait_s = min(_LONGEST_WAIT_S, max(1.0, 2 * self._wait_s))
        try:
            self.start()
        except OvertoneError as error:
            say(str(error))

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.close()
            self._child = None


def run(
    settings: Settings, environment: Mapping[str, str], *, with_samples: bool, stop: threading.Event, say: Say
) -> None:
    """Run server, gateway and dashboard until ``stop`` is set; ``say`` gets each line that a person should read.

    Raises ConfigError when a port is taken, BackendError when a service does not come up at all.
    """
    services = [
        Service("the gateway", lambda: Child("the gateway", ["pipeline.live"], settings, environment)),
        Service("the dashboard", lambda: Child("the dashboard", ["dashboard"], settings, environment)),
    ]
    _refuse_taken_port(settings.dashboard_host, settings.dashboard_port, "dashboard_port", "the dashboard")
    _refuse_taken_port(settings.live_host, settings.live_port, "live_port", "the gateway")
    if EMBEDDED in (settings.asr_uri, settings.nlp_uri, settings.tts_uri):
        if not settings.serve_host.startswith("unix:"):
            _refuse_taken_port(settings.serve_host, settings.serve_port, "serve_port", "the speech server")
        services.insert(0, Service("the speech server", _published_server(settings, environment)))
    samples: threading.Thread | None = None
    shadow = threading.Thread(target=_score_shadow, args=(settings, environment, stop), name="shadow")
    try:
        for service in services:
            say(f"starting {service.name} …")
            service.start()
        say(f"Overtone is ready: http://{settings.dashboard_host}:{settings.dashboard_port}  (Ctrl-C ends it)")
        shadow.start()
        if with_samples:
            samples = threading.Thread(target=show_samples, args=(settings, environment, stop, say), name="samples")
            samples.start()
        while not stop.wait(_CHECK_S):
            for service in services:
                service.keep(stop, say)
    finally:
        stop.set()
        for service in reversed(services):
            service.close()
        if samples is not None:
            samples.join()
        if shadow.ident is not None:
            shadow.join()


def _score_shadow(settings: Settings, environment: Mapping[str, str], stop: threading.Event) -> None:
    """Let the shadow model, while there is one, score what comes in."""
    with Backends(settings, environment) as backends:
        relabel.follow(backends.store, Registry.of(settings), backends.classifier_of, stop=stop)


def _published_server(settings: Settings, environment: Mapping[str, str]) -> Callable[[], Child]:
    """What launches the speech server, after the first time where it was before: there its clients look for it."""
    place = settings

    def launch() -> Child:
        nonlocal place
        server = embedded.start(place, environment)
        embedded.publish(server, settings)
        place = embedded.again(server, settings)
        return server

    return launch


def _refuse_taken_port(host: str, port: int, field: str, who: str) -> None:
    if port == 0:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"{who} cannot listen on {host}:{port}: {error.strerror}; end what uses it, or set {variable(field)}"
            ) from error
