"""One Asterisk for all calls of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testcaller.asterisk_server import AsteriskServer, asterisk_with
from tests.testcaller.sounds import write_sounds

PROMPTS = 60
DIALPLAN = """
exten => _play.,1,Answer()
 same => n,Set(SOUNDS=${EXTEN:4})
 same => n,Playback(en/${STRREPLACE(SOUNDS,-,&en/)})
 same => n,Hangup()
exten => _read.,1,Answer()
 same => n,Set(SOUNDS=${EXTEN:4})
 same => n,Read(KEYS,en/${STRREPLACE(SOUNDS,-,&en/)},1,,1,2)
 same => n,Playback(en/p${KEYS})
 same => n,Hangup()
exten => count,1,Answer()
 same => n(more),Read(KEYS,,255,,1,600)
 same => n,Goto(more)
exten => echo,1,Answer()
 same => n,Echo()
exten => ring,1,Ringing()
 same => n,Wait(30)
exten => busy,1,Busy(1)
exten => music,1,Answer()
 same => n,MusicOnHold(default,1)
 same => n,Playback(en/p0)
 same => n,Hangup()
exten => agent,1,Answer()
 same => n,Dial(PJSIP/1001,10,A(en/p1))
 same => n,Hangup()
"""


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty English prompts of 0.2 to 0.5 s and one piece of music."""
    folder = tmp_path_factory.mktemp("sounds")
    write_sounds(folder, PROMPTS, frames=(10, 25), silent_tail=2)
    return folder


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> Iterator[AsteriskServer]:
    """A running Asterisk with the extensions above."""
    with asterisk_with(tmp_path_factory.mktemp("asterisk"), DIALPLAN, sounds) as server:
        yield server
