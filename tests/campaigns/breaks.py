"""How the rules of keys and silences can be broken in the engine, and which tests have to notice.

Knows a piece of text of the engine for each. Must not run anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Break:
    """One rule that is broken: what stands where, what stands there instead, and the tests that have to notice."""

    rule: str
    file: str
    was: str
    becomes: str
    tests: tuple[str, ...]


OF_KEYS: Final = (
    Break(
        "the time for the first key begins with the prompt",
        "channel/watching.py",
        "        key = (await line.play(what)).key if what is not None and what.prompts else None\n",
        "        played = await line.play(what) if what is not None and what.prompts else None\n"
        "        key = played.key if played is not None else None\n"
        "        if played is not None and key is None and played.heard_ms > within_ms:\n"
        "            return KeysRead(SecretDigits(typed), KeysEnd.TIME_OUT)\n",
        ("first_key_time_begins_at_end_of_prompt",),
    ),
    Break(
        "the time for the first key runs on where a key stops the prompt",
        "channel/conversation.py",
        "max_keys=max_keys, within_ms=timing.between_keys_ms)",
        "max_keys=max_keys, within_ms=timing.first_key_ms)",
        ("barge_in_begins_time_between_keys",),
    ),
    Break(
        "a wrong key stops a question that only its own keys stop",
        "channel/conversation.py",
        "stop_on=first_keys(options), from_ms=heard_ms",
        "stop_on=ALL_KEYS, from_ms=heard_ms",
        ("other_keys_do_not_stop_valid",),
    ),
    Break(
        "a wrong key does not stop a question that any key stops",
        "channel/conversation.py",
        "        if interrupt is Interrupt.ANY:\n"
        "            return await self._first_key_in_one_command(prompt, timing)\n",
        "",
        ("wrong_key_and_silence_are_told_apart", "everywhere_key_that_a_menu_uses"),
    ),
    Break(
        "the terminator is part of the value",
        "channel/watching.py",
        "            if key == TERMINATOR:\n                return KeysRead(",
        "            if key == TERMINATOR:\n                typed.extend(b'#')\n                return KeysRead(",
        ("hash_ends_number",),
    ),
    Break(
        "the terminator ends no number",
        "channel/watching.py",
        "            if key == TERMINATOR:\n",
        "            if key == TERMINATOR and not typed:\n",
        ("hash_ends_number",),
    ),
    Break(
        "a terminator after the greatest length is not swallowed",
        "channel/conversation.py",
        "                self._swallower.arm()\n",
        "                pass\n",
        ("terminator_after_full_length",),
    ),
    Break(
        "every terminator after the greatest length is swallowed",
        "channel/keys.py",
        "armed, self._armed = self._armed, False\n",
        "armed, self._armed = self._armed, self._armed and key == TERMINATOR\n",
        ("second_terminator_counts",),
    ),
    Break(
        "a terminator is swallowed though another key came first",
        "channel/keys.py",
        "armed, self._armed = self._armed, False\n",
        "armed, self._armed = self._armed, self._armed and key != TERMINATOR\n",
        ("terminator_after_another_key_counts",),
    ),
    Break(
        "keys typed ahead answer a confirm",
        "channel/conversation.py",
        '        """\n        self._drop_typed_ahead()\n        heard_ms = 0\n',
        '        """\n        heard_ms = 0\n',
        ("typed_ahead_confirms_nothing", "typed_ahead_moves_no_money"),
    ),
    Break(
        "a new try begins with the keys of the one before",
        "channel/conversation.py",
        "            keys = SecretDigits(digits)\n",
        "            keys = SecretDigits(digits)\n"
        "            if judge_entry(entry, keys) is EntryEnd.TOO_SHORT:\n"
        "                for digit in digits.decode():\n                    self.keys.add(digit)\n",
        ("new_try_begins_with_no_keys",),
    ),
    Break(
        "the terminator alone is too short",
        "channel/keys.py",
        "        return EntryEnd.NO_INPUT\n",
        "        return EntryEnd.TOO_SHORT if entry.min_keys > 1 else EntryEnd.NO_INPUT\n",
        ("hash_alone_is_silence",),
    ),
    Break(
        "a 1 is taken at once though a 12 may come",
        "channel/keys.py",
        "return Match.EXACT_OR_PREFIX if longer else Match.EXACT",
        "return Match.EXACT",
        ("one_before_twelve",),
    ),
    Break(
        "a 1 is nothing while a 12 may come",
        "channel/keys.py",
        "return Match.EXACT_OR_PREFIX if longer else Match.EXACT",
        "return Match.PREFIX if longer else Match.EXACT",
        ("pause_decides_for_one", "hash_ends_the_pause"),
    ),
    Break(
        "the terminator does not end the pause",
        "channel/conversation.py",
        "if key is None or (key == TERMINATOR and match(typed + key, options) is Match.NOTHING):",
        "if key is None:",
        ("hash_ends_the_pause",),
    ),
    Break(
        "a hang-up makes an answer whole",
        "channel/conversation.py",
        "                end = await self._read_entry(None if digits else prompt, digits, entry, timing)\n",
        "                for _ in range(entry.max_keys):\n"
        "                    one = Entry(1, len(digits) + 1)\n"
        "                    try:\n"
        "                        end = await self._read_entry(None if digits else prompt, digits, one, timing)\n"
        "                    except BaseException:\n"
        "                        end = KeysEnd.TIME_OUT\n",
        ("answer_not_whole_at_hang_up",),
    ),
    Break(
        "an agent cuts a secret off",
        "channel/conversation.py",
        "        with self.hold_off() if finishes else nullcontext():\n",
        "        with nullcontext():\n",
        ("agent_waits_for_rest_of_secret",),
    ),
    Break(
        "keys of a prompt that must be heard are lost",
        "channel/conversation.py",
        "            if not belongs_to_entry_before:\n                self.keys.add(played.key)\n",
        "            if not belongs_to_entry_before and not must_hear:\n                self.keys.add(played.key)\n",
        ("unstoppable_words_keep_keys", "typed_ahead_answers_in_order", "unstoppable_question_takes_keys"),
    ),
    Break(
        "keys typed ahead are taken from the end",
        "channel/keys.py",
        "        key = chr(self._keys[0])\n        del self._keys[0]\n        return key\n",
        "        key = chr(self._keys[-1])\n        del self._keys[-1]\n        return key\n",
        ("typed_ahead_answers_in_order",),
    ),
    Break(
        "keys typed while the bank works are lost",
        "channel/conversation.py",
        "                if key is not None:\n                    self.keys.add(key)\n        except BaseException:\n",
        "                if key is not None:\n                    pass\n        except BaseException:\n",
        ("keys_while_bank_works_are_kept",),
    ),
    Break(
        "the cancel key is a key like others",
        "channel/keys.py",
        "    if entry.cancel_key is not None and entry.cancel_key.encode() in typed:\n",
        "    if entry.cancel_key is not None and entry.cancel_key.encode() == typed:\n",
        ("cancel_key_gives_number_up",),
    ),
    Break(
        "a hang-up waits for the bank",
        "channel/conversation.py",
        "        except BaseException:\n            task.cancel()\n",
        "        except BaseException:\n",
        ("hang_up_ends_the_call", "hang_up_overwrites_secrets"),
    ),
    Break(
        "the silence is not counted anew after each key",
        "channel/watching.py",
        "            key = await line.read_key(within_ms=within_ms)\n",
        "            key = await line.read_key(within_ms=max(1, within_ms - 300 * len(typed)))\n",
        ("slow_caller_is_not_cut_off",),
    ),
    Break(
        "an agent waits until the flow is over",
        "channel/watching.py",
        "        if not self._held_off and self._news():\n",
        "        if self._held_off is None and self._news():\n",
        ("agent_calls_away",),
    ),
)

ON_REAL_LINES: Final = (
    Break(
        "a real line waits for keys three times as long",
        "adapters/asterisk/line.py",
        "GetData(path, within_ms, max_keys), within_s=longest_ms / 1000",
        "GetData(path, within_ms * 3, max_keys), within_s=longest_ms * 3 / 1000",
        ("first_key_time_begins_at_end_of_prompt", "barge_in_begins_time_between_keys"),
    ),
    Break(
        "every key stops a real prompt",
        "adapters/asterisk/line.py",
        "StreamFile(path, stop_on, from_ms * BYTES_PER_MS)",
        "StreamFile(path, ALL_KEYS, from_ms * BYTES_PER_MS)",
        ("other_keys_do_not_stop_valid", "yes_counts_after_the_values"),
    ),
    Break(
        "a real number goes on behind its terminator",
        "adapters/asterisk/line.py",
        "        if len(keys) == typed or read.end is not KeysEnd.FULL:\n",
        "        if read.end is KeysEnd.FULL:\n",
        ("hash_ends_number",),
    ),
)
"""Breaks of what only a real call has: virtual time does not notice them."""
