"""How each timer and key rule can be broken in the engine, and which tests have to notice.

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


BREAKS: Final = (
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
        "the time in all cuts off who is typing",
        "flow/nodes/asking.py",
        "            outcome, value = await self._once(call, prompt)\n",
        "            try:\n"
        "                async with asyncio.timeout(None if self.in_all_ms is None else self.in_all_ms / 1000):\n"
        "                    outcome, value = await self._once(call, prompt)\n"
        "            except TimeoutError:\n"
        "                outcome, value = NO_INPUT, None\n",
        ("time_in_all_cuts_nobody_off",),
    ),
    Break(
        "the time in all ends nothing",
        "flow/nodes/asking.py",
        "(loop.time() - began) * 1000 >= self.in_all_ms",
        "False",
        ("time_in_all_asks_no_more",),
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
        "a hang-up right after the last key takes the answer away",
        "flow/nodes/collect.py",
        "            outcome, value = await question.ask(call)\n",
        "            outcome, value = await question.ask(call)\n            await call.conversation.wait_key(400)\n",
        ("answer_whole_at_hang_up",),
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
        "the longest wait does not count while a flow runs",
        "calls/queueing.py",
        "    def _news(self) -> bool:\n        return self.has_news\n",
        "    def _news(self) -> bool:\n"
        "        return self._waiter is not None and isinstance(self._waiter.decision, Offer)\n",
        ("longest_wait_goes_on_meanwhile",),
    ),
    Break(
        "the longest wait begins anew with each round",
        "flow/nodes/queue.py",
        "            elif call.returned not in (usual, CALLED_AWAY):\n",
        "            elif call.returned == usual:\n"
        "                call.queues.leave()\n                await call.queues.enter(wanted(call))\n"
        "            elif call.returned != CALLED_AWAY:\n",
        ("key_in_the_music_is_typed_ahead",),
    ),
    Break(
        "keys pressed in the music are dropped",
        "calls/queueing.py",
        "                    self._conversation.keys.add(key)\n",
        "                    pass\n",
        ("key_in_the_music_is_typed_ahead",),
    ),
    Break(
        "an agent cuts a secret off",
        "channel/conversation.py",
        "        with self.hold_off() if finishes else nullcontext():\n",
        "        with nullcontext():\n",
        ("agent_waits_for_rest_of_secret",),
    ),
    Break(
        "waiting uses up the budget",
        "flow/runner.py",
        "        if self._staying is None:\n            return self._call.tally\n",
        "        if self._staying is not None:\n            return self._call.tally\n"
        "        if self._staying is None:\n            return self._call.tally\n",
        ("waiting_uses_no_budget",),
    ),
    Break(
        "keys typed ahead go on behind a queue",
        "calls/queueing.py",
        '        """\n        self._conversation.forget_typed_ahead()\n        await self.wait_anew()\n',
        '        """\n        await self.wait_anew()\n',
        ("typed_ahead_ends_at_queue",),
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
        "a key whose condition does not hold is taken",
        "flow/nodes/menu.py",
        "if option.condition is None or option.condition(call)]",
        "]",
        ("key_without_its_condition_is_wrong", "everywhere_key_that_a_menu_uses"),
    ),
    Break(
        "a key for repeat counts as a wrong key",
        "flow/nodes/offering.py",
        "        return events if self._left else {}\n",
        "        return {}\n",
        ("repeat_and_help", "pause_repeated_begins_silence_anew", "confirm_heard_again_reads_all"),
    ),
    Break(
        "a question is repeated for ever",
        "flow/nodes/offering.py",
        "        self._left -= 1\n",
        "        self._left -= 0\n",
        ("repeat_and_help", "pause_repeated_three_times_at_most"),
    ),
    Break(
        "yes counts before the end",
        "flow/nodes/confirm.py",
        "                if key == yes:\n",
        "                if key == yes and not stops:\n",
        ("yes_counts_after_the_values",),
    ),
    Break(
        "yes stops the words once more",
        "flow/nodes/confirm.py",
        "                    stops = choices - {yes}\n",
        "                    stops = choices\n",
        ("yes_counts_after_the_values",),
    ),
    Break(
        "no counts at the end only",
        "flow/nodes/confirm.py",
        "sorted(stops | events.keys())",
        'sorted((stops | events.keys()) - {"2"})',
        ("no_counts_at_any_time",),
    ),
    Break(
        "what is said again is forgotten",
        "flow/speaking.py",
        "pieces = said_again if call.visits.again() else said_first",
        "pieces = said_first",
        ("again_is_said_from_the_second_time",),
    ),
    Break(
        "a star that is no digit is taken",
        "flow/nodes/collect.py",
        "            if not set(text) <= set(keys_of_kind):\n",
        "            text = text if '*' in keys_of_kind else text.replace('*', '')\n"
        "            if not set(text) <= set(keys_of_kind):\n",
        ("star_is_no_digit",),
    ),
    Break(
        "the cancel key is a key like others",
        "channel/keys.py",
        "    if entry.cancel_key is not None and entry.cancel_key.encode() in typed:\n",
        "    if entry.cancel_key is not None and entry.cancel_key.encode() == typed:\n",
        ("cancel_key_gives_number_up",),
    ),
    Break(
        "more than two places are cut",
        "flow/nodes/typed.py",
        "{places or '0'}",
        "{(places or '0')[:2]}",
        ("too_many_places_or_stars",),
    ),
    Break(
        "a hang-up waits for the bank",
        "channel/conversation.py",
        "        except BaseException:\n            task.cancel()\n",
        "        except BaseException:\n",
        ("hang_up_ends_the_call", "hang_up_overwrites_secrets"),
    ),
    Break(
        "a key of everywhere is a wrong key in a menu",
        "flow/nodes/menu.py",
        "        offered += [Offered(key, way.outcome, None, None) for key, way in taken.items()]\n",
        "",
        ("everywhere_key_in_menu",),
    ),
    Break(
        "a key of everywhere is a wrong key in a confirm",
        "flow/nodes/confirm.py",
        "options = {**taken, self.no: DECLINED",
        "options = {self.no: DECLINED",
        ("everywhere_key_in_confirm_is_digit_in_number",),
    ),
    Break(
        "a key of everywhere is a wrong key in a pause",
        "flow/nodes/pause.py",
        "options = {key: way.outcome for key, way in leads.items()} | {self.key: READY}",
        "options = {self.key: READY} if leads else {}",
        ("everywhere_key_in_pause",),
    ),
    Break(
        "a key of everywhere is a wrong key in a choice",
        "flow/nodes/choose.py",
        "*(turn.key for turn in turns), *self.taken))",
        "*(turn.key for turn in turns)))",
        ("everywhere_key_in_choose",),
    ),
    Break(
        "pages are turned for ever",
        "flow/nodes/choose.py",
        "first + turn.pages * step.page, turns_left - 1,",
        "first + turn.pages * step.page, turns_left,",
        ("page_after_nine_turns_is_the_last",),
    ),
    Break(
        "a key that leads to no page is taken",
        "flow/nodes/choose.py",
        "    return 0 <= first",
        "    return -9 <= first",
        ("choice_in_pages",),
    ),
    Break(
        "who has one item is asked",
        "flow/nodes/choose.py",
        "            if len(items.known) <= 1:\n",
        "            if not items.known:\n",
        ("only_item_is_picked",),
    ),
    Break(
        "who presses a wrong key in a pause may stay longer",
        "flow/nodes/pause.py",
        "            for slice_ms in slices:\n",
        "            for slice_ms in slices * 2:\n",
        ("pause_wrong_key_brings_words_at_once", "pause_says_its_key_again"),
    ),
    Break(
        "what is not valid ends the asking",
        "flow/nodes/asking.py",
        "if outcome in (COLLECTED, CANCELLED) or over",
        "if outcome in (COLLECTED, CANCELLED, NOT_VALID) or over",
        ("last_try_is_the_outcome",),
    ),
    Break(
        "what is not valid is no try",
        "flow/nodes/asking.py",
        "        for left in range(self.tries - 1, -1, -1):\n",
        "        for left in (*range(self.tries, 0, -1), 0):\n",
        ("not_valid_counts_as_try",),
    ),
    Break(
        "the star of an amount is dropped",
        "flow/nodes/typed.py",
        "    whole, _, places = text.partition(POINT)\n",
        "    whole, _, places = text.replace(POINT, '').partition(POINT)\n",
        ("star_is_decimal_point",),
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
    Break(
        "an agent cuts a sign-in off",
        "flow/nodes/operation.py",
        "with call.conversation.hold_off() if must_end else nullcontext():",
        "with nullcontext():",
        ("agent_waits_for_sign_in",),
    ),
    Break(
        "keys that are kept outlive the agent",
        "calls/queueing.py",
        "                self._conversation.forget_typed_ahead()  # what was asked meanwhile is given up\n",
        "",
        ("keys_kept_are_dropped_for_the_agent",),
    ),
)
