"""What every code of a finding means, in words for bank clerks: E keeps a flow from being called, W is advice.

Knows titles and explanations, English here and Chinese in `wording_zh.yaml`. Must not know where a code is raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.wording import Wording, chinese_codes


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
        "E225": Code(
            "a step with the name of what a key can do",
            "`repeat`, `help` and `back` are what a key can do instead of leading to a step. Where a step has such a "
            "name, nobody could tell which is meant.",
        ),
        "E226": Code(
            "a key and its words that do not belong together",
            "A key for `help` needs the words that help, a key for `back` the question to which it leads: both stand "
            "in the step. And what stands there is reached by such a key only, here or under `everywhere`.",
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
            "put into a variable that is not declared `personal`. A `recording` stands by itself.",
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
        "E411": Code(
            "an unknown message",
            "No message of this name is in prompts/messages/, where the texts stand that customers are sent.",
        ),
        "E412": Code(
            "a message missing in one language",
            "Every message has a text in each language: a caller gets it in the language that they are spoken to in.",
        ),
        "E413": Code(
            "a placeholder that cannot be understood",
            "A placeholder is a name and how its value is written, in braces, for example {amount:money}. The forms "
            "are money, digits, masked, number, date, time and text.",
        ),
        "E414": Code(
            "a message that differs between languages",
            "The languages of a message have the same placeholders in the same form, and all of them a subject or a "
            "title when one has it; otherwise a caller would miss something only because of their language.",
        ),
        "E415": Code(
            "a value that no placeholder takes",
            "The step gives a value that the message does not have, so nobody would read it.",
        ),
        "E416": Code(
            "a placeholder without its value",
            "Each placeholder of a message gets its value under `with`. Only {today:date} and {now:time} have theirs "
            "from the moment of sending.",
        ),
        "E417": Code(
            "a message without what stands above it",
            "An e-mail has a `subject` and a fax a `title`, written beside the `text` of the message.",
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
        "E702": Code(
            "a flow of a queue step that does not fit",
            "Of a flow that runs while a caller waits, the first outcome means that the caller waits on. Every other "
            "one leaves the queue and is an outcome of the `queue` step, so it cannot be called like one of the "
            "queue's own. Of a flow that an agent can ask for (`secure`), the first outcome means that it went well; "
            "after each of them the talk goes on. Neither has inputs: nobody would give them.",
        ),
        "E703": Code(
            "something that cannot be done while waiting",
            "A caller who waits has a place in the queue. To wait for somebody else, to go over into another flow for "
            "good or to end the call would take it away. And no money is moved: an agent may be there at any moment, "
            "between the words that confirm a transfer and those that say what has become of it. While an agent waits "
            "for a caller to come back (`secure`), the call is not led elsewhere either.",
        ),
        "E704": Code(
            "a place in the queue where nobody waits",
            "`place_in_queue` tells of a caller who waits. It can be asked in flows that a `queue` step runs with "
            "`meanwhile`, and in those that they run.",
        ),
        "E705": Code(
            "an unknown skill",
            "What agents know is a setting of the hotline (`agent_skills`). Whoever asks for a skill that nobody has "
            "waits in vain.",
        ),
        "E706": Code(
            "a queue step that is only half written",
            "`every` is the time between two runs of the in-queue flow, `relax` the time for which skills are waited "
            "for: without `meanwhile` or `skills` they mean nothing.",
        ),
        "E707": Code(
            "an unknown destination",
            "Whom callers may be transferred to is set up with the hotline (setting `destinations`), each with a name. "
            "A flow uses the name, so that no number can be dialled that nobody has allowed.",
        ),
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
            "something is done with a value that the caller has not confirmed",
            "Money is moved, and a number is called back, only with what the caller has just confirmed. On some path "
            "no `confirm` step has read this variable out, or something was put into it afterwards, or "
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
        "E809": Code(
            "a way back to where nobody can go back",
            "`back` names a question of the same flow from which the caller can have come. No way from there to here "
            "leads over a sign-in, a sign-out or a movement of money: that has happened, and going back would not undo "
            "it.",
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
        "W907": Code(
            "a result that can only be heard",
            "Who cannot write it down, or does not hear well, wants in writing what is read out. After a step that "
            "reads out something personal, an sms, email or fax of it should be offered with at most one question. The "
            "setting `written_results` turns this advice off.",
        ),
    }
)


def explained(code: str, language: Wording = Wording.ENGLISH) -> Code:
    """Return the title and the explanation of a code in a language; what has no translation stays English."""
    known = chinese_codes() if language is Wording.CHINESE else {}
    return Code(**known[code]) if code in known else CODES[code]
