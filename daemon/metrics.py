"""The daemon's condition as Prometheus metrics, on the loopback only.

Collected when asked for, from the same figures as `djb status`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from daemon.condition import condition
from daemon.config import Config
from daemon.store.engine import Store

ADDRESS = "127.0.0.1"


class Condition(Collector):
    """Gauges of everything that `djb status` shows."""

    def __init__(self, store: Store, config: Config, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._config = config
        self._clock = clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = condition(self._store, self._config, self._clock())
        yield _gauge("djb_faults", "Things that are wrong, as djb status lists them.", len(found["faults"]))
        yield _gauge(
            "djb_last_poll_seconds",
            "Seconds since the mailbox was looked at.",
            found["last_poll_seconds_ago"],
        )
        yield _family("djb_mail", "Mails by fate.", "fate", found["mail"])
        yield _family("djb_outbox", "Letters by state.", "state", found["outbox"])
        yield _family("djb_problems_open", "Open problems by state.", "state", found["problems"]["by_state"])
        yield _family("djb_problems_light", "Open problems by light.", "light", found["problems"]["by_light"])
        yield _family("djb_returns", "Returns of the present period by state.", "state", found["returns"])

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: registering must not need the database."""
        return iter(())


def _gauge(name: str, meaning: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value if value is not None else float("nan"))


def _family(name: str, meaning: str, label: str, values: dict[str, Any]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for key, value in values.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            family.add_metric([key], value)
    return family


@contextmanager
def served(store: Store, config: Config, clock: Callable[[], datetime]) -> Iterator[None]:
    """The metrics, served on the configured port for as long as the context lasts."""
    registry = CollectorRegistry()
    registry.register(Condition(store, config, clock))
    server, thread = start_http_server(config.metrics.port or 0, addr=ADDRESS, registry=registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
