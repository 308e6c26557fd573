"""pyst2's AGI class as a program: `python -m tests.adapters.asterisk.foreign_agi <replay|live> <json>`.

It speaks AGI on stdin and stdout, as pyst2 was made to. On stderr it says `ready` before a command that waits
for keys, and last, in one line of JSON, what it understood. It must not import anything of the engine.
"""

from __future__ import annotations

import io
import json
import sys

from asterisk.agi import AGI


def understood(agi: AGI, command: str) -> object:
    """What pyst2 makes of the answer to one command; its own exceptions by name."""
    try:
        result = agi.execute(command)
    except Exception as error:  # noqa: BLE001  # its exceptions are what is compared
        return [type(error).__name__]
    value, data = result["result"]
    return [value, data, result.get("endpos", ("", ""))[0]]


def main() -> None:
    mode, commands = sys.argv[1], json.loads(sys.argv[2])
    out = sys.stdout if mode == "live" else io.StringIO()
    try:
        agi = AGI(sys.stdin.buffer, out, io.StringIO())
    except UnicodeDecodeError as error:
        sys.stderr.write(json.dumps({"environment": type(error).__name__, "answers": []}) + "\n")
        return
    answers = []
    for command in commands:
        if command.startswith(("WAIT FOR DIGIT", "GET DATA", "STREAM FILE")):
            sys.stderr.write("ready\n")
            sys.stderr.flush()
        answers.append(understood(agi, command))
    sys.stderr.write(json.dumps({"environment": agi.env, "answers": answers}) + "\n")


if __name__ == "__main__":
    main()
