"""Metrics of one engine, in Prometheus' form.

Knows names, units and buckets. Must not know who measures. No label ever holds a call, a number or a person.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_STEP_SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


class StepSeconds(Collector):
    """How long the engine takes between an answer of Asterisk and the next command, in seconds.

    It is told six times or more a call, by one thread; the library's own histogram locks and checks for many.
    """

    def __init__(self) -> None:
        self._counts = [0] * (len(_STEP_SECONDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one step."""
        self._counts[bisect_left(_STEP_SECONDS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield what was counted, as Prometheus wants it: each bucket holds those below it as well."""
        bounds = [*map(floatToGoString, _STEP_SECONDS), "+Inf"]
        yield HistogramMetricFamily(
            "ivr_engine_step_seconds",
            "The engine's own time between an answer of Asterisk and the next command.",
            buckets=list(zip(bounds, accumulate(self._counts), strict=True)),
            sum_value=self._sum,
        )


class Metrics:
    """All metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls_started = Counter("ivr_calls_started", "Calls that reached the engine.", registry=self.registry)
        self.calls_ended = Counter(
            "ivr_calls_ended", "Calls by the reason of their end.", ["reason"], registry=self.registry
        )
        self.milestones = Counter(
            "ivr_milestones",
            "What callers reached, by its name in the flows and by its kind.",
            ["milestone", "kind"],
            registry=self.registry,
        )
        self.calls_live = Gauge("ivr_calls_live", "Calls that the engine runs now.", registry=self.registry)
        self.keys_taken = Counter("ivr_keys_taken", "Keys that reached the engine.", registry=self.registry)
        self.engine_seconds = StepSeconds()
        self.registry.register(self.engine_seconds)
        self.callers_waiting = Gauge("ivr_callers_waiting", "Callers who wait for an agent.", registry=self.registry)
        self.ami_ready = Gauge("ivr_ami_ready", "1 while Asterisk's events are heard.", registry=self.registry)
        self.journal_rows_waiting = Gauge(
            "ivr_journal_rows_waiting", "Rows of the record not yet written.", registry=self.registry
        )
        self.messages_new = Gauge(
            "ivr_voice_messages_new", "Voice messages that nobody has dealt with.", registry=self.registry
        )
        self.callbacks_waiting = Gauge(
            "ivr_callbacks_waiting", "Callers who wait to be called back.", registry=self.registry
        )
        self.flow_findings = Gauge(
            "ivr_flow_findings", "Findings in the flow files as they are now; 0 is good.", registry=self.registry
        )
