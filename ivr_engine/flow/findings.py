"""Findings: an author's mistakes, with their place, their meaning and a mend.

Knows every code. Must not know how files are read or shown in a browser. Words are for bank clerks, not programmers,
in English and in Chinese (`wording_zh.yaml`).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.wording import Text, Wording, chinese_codes, in_chinese

SHOWN_NAMES_MAX: Final = 20
"""How many known names a mend lists."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake: where, which kind (a code of `CODES`), what is wrong here, and how to mend it.

    `end_column` is the column after the last character of what is wrong, where that is known.
    """

    place: Place
    code: str
    message: Text
    mend: Text
    source_line: str = ""
    end_column: int | None = None
    path: Text | None = None
    """What the caller does, and what the world answers, to get there; None where that does not matter."""

    def render(self, language: Wording = Wording.ENGLISH) -> str:
        """Return the finding as `file:line:column CODE message`, the source line and the mend."""
        chinese = language is Wording.CHINESE
        lines = [f"{self.place}  {self.code}  {in_chinese(self.message) if chinese else self.message}"]
        if self.source_line:
            number = str(self.place.line)
            lines.append(f"  {number:>4} | {self.source_line}")
            lines.append(f"       | {_blank(self.source_line[: self.place.column - 1])}^")
        if self.path is not None:
            to_get_here = f"走到这里：{in_chinese(self.path)}" if chinese else f"to get here: {self.path}"
            lines.append(f"  {to_get_here}")
        lines.append(self._mend_in_chinese() if chinese else f"  mend: {self.mend}; more: ivr explain {self.code}")
        return "\n".join(map(_printable, lines))

    def _mend_in_chinese(self) -> str:
        mend = in_chinese(self.mend)
        full_stop = "" if mend.endswith(("？", "。")) else "。"
        return f"  修改方法：{mend}{full_stop}详见：ivr explain {self.code}"


class NotUnderstoodError(ValueError):
    """A written value that is not what is expected: what is, and how to write it."""

    def __init__(self, message: Text, mend: Text) -> None:
        super().__init__(message)
        self.message = message  # as it is: `str()` of it would no longer know how it was made
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, for `ivr explain`."""

    title: str
    explanation: str


CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "E101": Code(
            "the file is not readable as YAML",
            "Something in the writing of the file breaks its structure: a quote that is not closed, a tab, "
            "a colon inside "
            "a text that is not in quotes, or a full-width Chinese colon (：) where the plain one (:) belongs.",
        ),
        "E102": Code(
            "the same key stands twice",
            "In one block a key may stand once: of two equal keys only one could count. `star` and '*' are one.",
        ),
        "E103": Code(
            "a feature of YAML that flows do not use",
            "Anchors (&), aliases (*), merge keys (<<), tags (!) and values that go on in the next line make a file "
            "hard to read aloud. Write the text out. The star key of the telephone is written `star`, the hash key "
            "`hash`: a line that begins with # is a comment, and the key would be lost.",
        ),
        "E110": Code(
            "an unknown word",
            "The language has no such key at this place. The nearest known one is given.",
        ),
        "E111": Code("something is missing", "A key that must be there is not."),
        "E112": Code(
            "a value of the wrong kind", "The value cannot be understood here; the message says what is expected."
        ),
        "E121": Code(
            "something declared that no step uses",
            "What stands at the top of a file is there to be used. What nobody uses is left over, or a step means it "
            "and names something else.",
        ),
        "E122": Code(
            "environments that do not agree",
            "Every environment declares the same names with values of the same types: a flow that is sound in the "
            "one is then sound in the other.",
        ),
        "E123": Code(
            "an environment that the flow does not have",
            "The hotline is set up to run in an environment (setting `environment`), and the flow has constants for "
            "others only.",
        ),
        "E124": Code(
            "a constant that would be changed",
            "A constant has one value in every call. What a step puts a value into is declared under `variables`.",
        ),
        "E125": Code(
            "an unknown milestone",
            "What a step reaches is declared at the top of the file, under `milestones`, with its kind.",
        ),
        "E126": Code(
            "a milestone where nothing is reached",
            "A milestone is reached when its step ends in its usual outcome. A menu has none, since each key leads to "
            "something else, and after `return` the step that ran this flow says what is reached.",
        ),
        "E127": Code(
            "something that only the first flow of a call can have",
            "A budget is counted over the whole call, and a hang-up ends the whole call: both belong to the flow with "
            "which calls begin. A flow that others run declares outcomes, and is none of these.",
        ),
        "E128": Code(
            "a step that needs a caller, after the hang-up",
            "`finally` names a step that is run when the caller has hung up. Nobody hears what is said then, and "
            "nobody answers: only steps follow that neither speak nor ask, and the last one is `hang_up`.",
        ),
        "E201": Code(
            "a step that does nothing",
            "Every step has exactly one word that says what it does: say, menu, do, if, hang_up and so on. The manual "
            "has a page for each.",
        ),
        "E202": Code("a step that does two things", "Split it into two steps, one after the other."),
        "E204": Code(
            "an outcome that goes nowhere",
            "A step can end in ways for which no next step is written. A caller who gets there would hear "
            "silence. Every outcome needs an arm under `when`, or under `otherwise` of the flow for all its steps.",
        ),
        "E205": Code(
            "an arm for something that cannot happen",
            "The step never ends in this way. Either the word is misspelt or the arm is left over.",
        ),
        "E206": Code("a step that does not exist", "The flow names a next step that it does not have."),
        "E207": Code("a step that nobody reaches", "No path from the start leads to this step."),
        "E208": Code("a key of no telephone", "Menu keys are made of 0-9, star and hash."),
        "E209": Code(
            "then is not possible here",
            "`then` names what follows the usual outcome. A menu has no usual outcome: its keys say what follows. "
            "After `return` and `hang_up` nothing follows. One outcome has one arm, written in one place.",
        ),
        "E220": Code(
            "a menu that may offer nothing",
            "Every key of the menu has a condition, so there can be callers whom no key answers. One key at least is "
            "always there, here or under `everywhere`.",
        ),
        "E221": Code(
            "words that nobody hears",
            "A hidden key is taken, and nothing is said of it.",
        ),
        "E222": Code(
            "words for a key of several digits",
            "The step itself says which key to press, and it can say one key. Write the words for a longer one into a "
            "prompt of the menu.",
        ),
        "E223": Code(
            "one key with two meanings",
            "In one question each key has one meaning: yes or no, a choice or the way to more choices.",
        ),
        "E224": Code(
            "an operation that gives no list",
            "A caller can choose from what an operation gives one by one: it takes a `position`, ends in `found` or in "
            "`none`, and changes nothing.",
        ),
        "E230": Code(
            "a rule that this kind of entry cannot have",
            "What is typed follows from the type of the variable. Digits may have a `length` and `check: luhn`; a "
            "number, an amount and a date may have `least` and `most`; an amount has a `currency`; a date has eight "
            "keys.",
        ),
        "E231": Code(
            "an amount without its currency",
            "An amount is typed without its currency, so the flow says which it is, and limits are in the same one.",
        ),
        "E232": Code(
            "a key that cannot give an entry up",
            "The hash key ends every entry, and the star key is the decimal point of an amount.",
        ),
        "E240": Code(
            "a switch on something that is no choice",
            "`switch` has one arm for each word that its variable may hold. That must be a variable which is `one of` "
            "some words, or yes or no. Numbers, amounts and texts are compared with `if`.",
        ),
        "E241": Code(
            "an else that nothing leads to",
            "`else` takes the words that have no arm of their own. Where each word has one, it is left over.",
        ),
        "E242": Code(
            "unknown opening hours",
            "`hours` names opening hours that stand at the top of the file, under `hours`.",
        ),
        "E243": Code(
            "parts that make no whole",
            "`split` sends each caller one way. Percentages that do not add up to 100 leave some callers without one.",
        ),
        "E301": Code(
            "an unknown variable", "Variables are declared at the top of the flow under `variables` or `inputs`."
        ),
        "E302": Code(
            "types that do not agree",
            "For example an amount is compared with a number, a text is read out as money, or something personal is "
            "put into a variable that is not declared `personal`.",
        ),
        "E303": Code("an expression that cannot be read", "The message says what was expected, at the exact column."),
        "E304": Code(
            "a secret in the wrong place",
            "A secret (a PIN) can only be handed to an operation that takes it. It cannot be spoken, compared, stored "
            "or given to another flow.",
        ),
        "E305": Code(
            "a variable read before it is set",
            "On some path to this step nothing has put a value there. A secret is forgotten as soon as an operation "
            "has taken it: to try again, ask for it again.",
        ),
        "E401": Code("an unknown prompt", "No prompt of this name is in prompts/."),
        "E402": Code(
            "a prompt missing in one language",
            "The flow can be spoken in several languages; the prompt must be in each.",
        ),
        "E501": Code("an unknown operation", "The bank offers no operation of this name."),
        "E502": Code("an argument that the operation does not take", "Its arguments are listed in the message."),
        "E503": Code("an argument that the operation needs", "Each argument of an operation has to be given."),
        "E504": Code("a result that the operation does not give", "Its results are listed in the message."),
        "E510": Code(
            "a wait that is too long",
            "`within` says how long a caller waits for the bank. Longer than the most that the hotline allows, nobody "
            "should listen to silence.",
        ),
        "E511": Code(
            "a retry of what must not be done twice",
            "`retry` asks again by itself when the bank was away. Only what changes nothing and counts nothing may be "
            "asked again: a payment or an attempt at a PIN may not.",
        ),
        "E512": Code(
            "a filler that nobody hears",
            "`filler` is said when an answer takes longer than 1.5 s. Here the wait is over before.",
        ),
        "E601": Code(
            "an unknown flow", "`run` names another flow file, without `.yaml`, as seen from the flows folder."
        ),
        "E602": Code("flows that run each other in a circle", "A flow may not, through others, run itself."),
        "E603": Code(
            "an outcome that the flow does not declare",
            "A flow that others run declares its outcomes at the top; `return` can only name one of these.",
        ),
        "E604": Code(
            "return in a flow that nobody runs", "The first flow of a call ends with hang_up, not with return."
        ),
        "E605": Code(
            "flows that speak different languages",
            "A flow and the flows that it runs must have the same `languages`: the caller's language is carried on.",
        ),
        "E606": Code("flows nested too deep", "One flow runs another, which runs another, and so on, too many times."),
        "E610": Code(
            "a repetition that is only half written",
            "`run` runs a flow again with `times` (how often at most) and `while` (as long as it ends in this). One "
            "means nothing without the other, and `for` (which of its inputs counts) means nothing without both.",
        ),
        "E611": Code(
            "a repetition for something that cannot happen",
            "`while` names one of the outcomes of the flow that is run.",
        ),
        "E612": Code(
            "a call handed over to a flow that goes back",
            "After `hand_over` no flow waits for the call to come back. A flow that declares outcomes would go back "
            "to nobody; use `run` for it.",
        ),
        "E701": Code("an unknown queue", "Queues are set up with the hotline; the message lists them."),
        "E801": Code(
            "the bank is asked before the sign-in",
            "Some operations are only for callers whom the bank knows. On the path that is shown a caller gets to this "
            "step without having signed in, or after having signed out.",
        ),
        "E802": Code(
            "something personal is read out before the sign-in",
            "A balance, an account or a customer number would be heard by somebody whom the bank does not know yet.",
        ),
        "E803": Code(
            "money is moved with a value that nobody can have confirmed",
            "The caller confirms what a `confirm` step reads out. A value that is computed or written at the step "
            "itself was never read out; put it into a variable and let the caller confirm that.",
        ),
        "E804": Code(
            "money is moved with a value that the caller has not confirmed",
            "On some path no `confirm` step has read this variable out, or something was put into it afterwards, or "
            "the confirmation was used for another movement already. One confirmation is good for one movement.",
        ),
        "E805": Code(
            "a caller goes round for ever",
            "Silence, wrong keys, answers of the bank or steps alone lead back to where the call has been. A caller "
            "who lays the telephone down, or who cannot press keys, would never get out of this circle. Only a key "
            "that the caller presses on purpose may lead back.",
        ),
        "E806": Code(
            "a long silence",
            "Several steps in a row say nothing while the bank takes its time. Callers believe that the line is dead "
            "and hang up.",
        ),
        "E807": Code(
            "a human is too many keys away",
            "From every menu a caller must be able to get to a human with few keys. Silence does not count as one.",
        ),
        "E808": Code(
            "a human is offered too late",
            "A question offers a human when one key, or staying silent, leads to one. The longest way to the first "
            "such question takes longer than is promised, or goes in a circle in which there is none.",
        ),
        "W901": Code(
            "a menu with many options",
            "Who hears more than a handful of options has forgotten the first by the last. The limit is a setting of "
            "the hotline. Keys 0, star and hash do not count.",
        ),
        "W902": Code(
            "a menu that speaks for long",
            "A caller waits for the option that they want. What is wanted most comes first, and few words are enough.",
        ),
        "W903": Code(
            "the key before what it is for",
            "Callers listen for what they want and then for its key. Hearing the key first, they have forgotten it "
            "when they know that they want it.",
        ),
        "W904": Code(
            "key 0 that is not the way to a human",
            "On telephones everywhere 0 is a human. Who presses it in need should not get to something else.",
        ),
        "W905": Code(
            "a task behind many menus",
            "Each menu loses some callers. What they call for should come after a few at most.",
        ),
        "W906": Code(
            "a question that has been answered before",
            "Two steps, one after the other on a path, ask for the same with the same words. Callers take it for a "
            "mistake of their own, or of the hotline.",
        ),
    }
)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by file, line and column; a prompt that lacks a language is one mistake, wherever it is said."""
    told: dict[tuple[str, ...], Finding] = {}
    for finding in sorted(findings):
        same = () if finding.code == "E402" else (str(finding.place),)
        told.setdefault((finding.code, finding.message, *same), finding)
    return tuple(told.values())


def explained(code: str, language: Wording = Wording.ENGLISH) -> Code:
    """Return the title and the explanation of a code in a language; what has no translation stays English."""
    known = chinese_codes() if language is Wording.CHINESE else {}
    return Code(**known[code]) if code in known else CODES[code]


def _blank(text: str) -> str:
    """Return white space as wide as `text` on a terminal."""
    return "".join("\t" if character == "\t" else " " * _columns(character) for character in text)


def _columns(character: str) -> int:
    """Return how many columns of a terminal a character takes: a Chinese one two, a mark on the one before it none."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _printable(line: str) -> str:
    """Return the line without characters that would change the terminal that shows it."""
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that looks most like `word`, or None."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> Text:
    """Return a mend that names the nearest known word, or lists them all."""
    names = sorted(known)
    near = suggest(word, names)
    if near is not None:
        return Text("did you mean '{name}'?", name=near)
    if names:
        return Text("use one of: {names}", names=tuple(names[:SHOWN_NAMES_MAX]))
    return Text("there is none to choose from yet")
