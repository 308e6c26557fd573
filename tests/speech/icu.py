"""ICU's number spelling (CLDR rules) as an independent oracle, asked through Debian's own Python.

PyICU has no wheels, so it is not in the development environment; Debian ships it for /usr/bin/python3 in the
package `python3-icu`. One child process answers line by line, so that hypothesis can shrink what it finds.
"""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Final, Self

DEBIAN_PYTHON: Final = "/usr/bin/python3"
HOW_TO_GET_IT: Final = "ICU does not answer; these tests need Debian's package: apt-get install python3-icu"

_CHILD = """
import sys, icu
formats = {}
for line in sys.stdin:
    locale, rules, number = line.split()
    key = (locale, rules)
    if key not in formats:
        formats[key] = icu.RuleBasedNumberFormat(icu.URBNFRuleSetTag.SPELLOUT, icu.Locale(locale))
        formats[key].setDefaultRuleSet(rules)
    print(formats[key].format(float(number) if "." in number else int(number)), flush=True)
"""


class Icu:
    """A running oracle."""

    def __init__(self) -> None:
        try:
            self._child = subprocess.Popen(
                [DEBIAN_PYTHON, "-c", _CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={"PYTHONIOENCODING": "utf-8"},
            )
        except OSError as error:
            raise AssertionError(f"{HOW_TO_GET_IT}\n{error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.communicate(timeout=10)

    def spell(self, locale: str, rules: str, number: int | str) -> str:
        """Return the number in words; a text such as `2.35` has decimals."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(f"{locale} {rules} {number}\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self._child.stdout.readline().strip()
        if not answer:
            assert self._child.stderr is not None
            reason = self._child.stderr.read()
            raise AssertionError(f"{HOW_TO_GET_IT}\n{reason}")
        return answer
