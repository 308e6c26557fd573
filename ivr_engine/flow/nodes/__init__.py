"""The kinds of steps; each file holds one kind, or two that belong together. A new kind is one file and one line."""

from __future__ import annotations

from typing import Final

from ivr_engine.flow.nodes.callback import Callback
from ivr_engine.flow.nodes.choose import Choose
from ivr_engine.flow.nodes.collect import Collect, Secret
from ivr_engine.flow.nodes.confirm import Confirm
from ivr_engine.flow.nodes.deciding import If, Set
from ivr_engine.flow.nodes.ending import HangUp
from ivr_engine.flow.nodes.hours import Hours
from ivr_engine.flow.nodes.keeping import Case, Note, Screen
from ivr_engine.flow.nodes.language import ChooseLanguage
from ivr_engine.flow.nodes.menu import Menu
from ivr_engine.flow.nodes.modules import HandOverStep, ReturnStep, Run
from ivr_engine.flow.nodes.operation import Operation
from ivr_engine.flow.nodes.pause import Pause
from ivr_engine.flow.nodes.queue import Queue
from ivr_engine.flow.nodes.record import Record
from ivr_engine.flow.nodes.say import Say
from ivr_engine.flow.nodes.sending import Email, Fax, Page, Sms
from ivr_engine.flow.nodes.split import Split
from ivr_engine.flow.nodes.switch import Switch
from ivr_engine.flow.nodes.transfer import AttendedTransfer, BlindTransfer
from ivr_engine.flow.step import Step

KINDS: Final[tuple[type[Step], ...]] = (
    Say,
    Menu,
    Collect,
    Secret,
    Confirm,
    Choose,
    Pause,
    Operation,
    Sms,
    Email,
    Fax,
    Page,
    Case,
    Note,
    Screen,
    If,
    Switch,
    Hours,
    Split,
    Set,
    ChooseLanguage,
    Run,
    HandOverStep,
    Queue,
    BlindTransfer,
    AttendedTransfer,
    Record,
    Callback,
    ReturnStep,
    HangUp,
)
