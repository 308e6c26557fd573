"""`ivr doctor`: everything that is wrong with an Asterisk, its files and its running process, listed at once.

`examine` gives findings as values; `render` and `to_json` write them. Nothing is changed, here or in Asterisk.
"""

from ivr_engine.adapters.asterisk.doctor.examination import DoctorTarget, examine
from ivr_engine.adapters.asterisk.doctor.finding import Finding, Severity, render, to_json

__all__ = ["DoctorTarget", "Finding", "Severity", "examine", "render", "to_json"]
