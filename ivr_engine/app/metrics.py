"""Metrics of one engine, in Prometheus' form.

Knows names, units and buckets. Must not know who measures. No label ever holds a call, a number or a person.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_STEP_SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


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
        self.engine_seconds = Histogram(
            "ivr_engine_step_seconds",
            "The engine's own time between an answer of Asterisk and the next command.",
            buckets=_STEP_SECONDS,
            registry=self.registry,
        )
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
