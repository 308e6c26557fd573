"""The hotline's own secrets: made once at set-up, kept in one file that only its owner can read.

Knows their names. Must not know who uses them. None is ever committed, printed or logged.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

FILE: Final = "secrets.json"
_KEY_BYTES: Final = 32
_OWNER_ONLY: Final = 0o600
_PIN_KEY: Final = re.compile(r"[0-9a-f]{64}")


class SecretsFileError(Exception):
    """The file of secrets cannot be trusted or read; the message says how to mend it."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only this hotline knows."""

    pin_key: str = field(repr=False)
    agi_token: str = field(repr=False)
    ami_engine: str = field(repr=False)
    ami_doctor: str = field(repr=False)
    bank_token: str = field(repr=False)
    agents: Mapping[str, str] = field(repr=False)


def load_or_make(folder: pathlib.Path, agents: tuple[str, ...]) -> Secrets:
    """Return the secrets of a state folder; what is missing is made, what is there is kept.

    Raises `SecretsFileError` when others can read the file, or when it is damaged: a new key would lock everybody out.
    """
    path = folder / FILE
    known = _read(path)
    made = Secrets(
        pin_key=_text(known, "pin_key") or secrets.token_hex(_KEY_BYTES),
        agi_token=_text(known, "agi_token") or secrets.token_urlsafe(_KEY_BYTES),
        ami_engine=_text(known, "ami_engine") or secrets.token_urlsafe(_KEY_BYTES),
        ami_doctor=_text(known, "ami_doctor") or secrets.token_urlsafe(_KEY_BYTES),
        bank_token=_text(known, "bank_token") or secrets.token_urlsafe(_KEY_BYTES),
        # An agent who is taken out of the settings and put back keeps the password that is in the telephone.
        agents={**{name: secrets.token_urlsafe(_KEY_BYTES) for name in agents}, **_map(known, "agents")},
    )
    if asdict(made) != known:
        _write(path, asdict(made))
    return made


def _read(path: pathlib.Path) -> dict[str, object]:
    try:
        if path.stat().st_mode & 0o077:
            message = f"{path} can be read by others; mend it with: chmod 600 {path}"
            raise SecretsFileError(message)
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise SecretsFileError(message) from None
    except ValueError:  # neither UTF-8 nor JSON
        known = None
    if not isinstance(known, dict) or not _PIN_KEY.fullmatch(_text(known, "pin_key")):
        message = f"{path} is damaged; restore it from a backup (a new PIN key would lock every customer out)"
        raise SecretsFileError(message)
    return known


def _write(path: pathlib.Path, data: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _text(known: Mapping[str, object], name: str) -> str:
    value = known.get(name)
    return value if isinstance(value, str) else ""


def _map(known: Mapping[str, object], name: str) -> Mapping[str, str]:
    value = known.get(name)
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}
