"""How the timer and key rules of steps, and of waiting for a human, can be broken, and which tests have to notice.

Knows a piece of text of the engine for each. Must not run anything.
"""

from __future__ import annotations

from typing import Final

from tests.campaigns.breaks import Break

OF_STEPS: Final = (
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
        "a hang-up right after the last key takes the answer away",
        "flow/nodes/collect.py",
        "            outcome, value = await question.ask(call)\n",
        "            outcome, value = await question.ask(call)\n            await call.conversation.wait_key(400)\n",
        ("answer_whole_at_hang_up",),
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
        "more than two places are cut",
        "flow/nodes/typed.py",
        "{places or '0'}",
        "{(places or '0')[:2]}",
        ("too_many_places_or_stars",),
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
