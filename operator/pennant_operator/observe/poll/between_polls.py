"""What a registry is asked before the next poll, and when: what is new, hinted at, or due again."""

import asyncio
from collections.abc import Callable

from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.outage import Outage
from pennant_operator.observe.poll.questions import Questions

# at least, between two looks at an absence that is to be confirmed, or at versions that are held
REREAD_SECONDS = 1.0


class BetweenPolls:
    """One registry's; `survey` says what is watched now."""

    def __init__(
        self,
        known: Known,
        questions: Questions,
        outage: Outage,
        survey: Callable[[], set[Watch]],
    ) -> None:
        self._known = known
        self._questions = questions
        self._outage = outage
        self._survey = survey

    async def asked_before(self, until: float) -> set[Watch] | None:
        """What is to be asked before the next poll; None when it is time for that.

        An empty set where something is to be known of single versions only. In trouble only hints
        count, and the next poll asks everything.
        """
        if self._outage.failures:
            return await self._hinted_before(until)
        loop, known = asyncio.get_running_loop(), self._known
        doubts = known.perhaps_absent()
        if self._versions_due():
            self._questions.add_new()  # there was more than is asked at once
        confirm = max(min(doubts.values(), default=until), loop.time() + REREAD_SECONDS)
        while loop.time() < until:
            reread = max(known.gate_facts.next_reread(), loop.time() + REREAD_SECONDS)
            came = await self._questions.wait(min(until, confirm, reread))
            new, hinted = self._questions.take() if came else (False, set())
            asked = hinted | (known.unanswered(self._survey()) if new else set())
            overdue = {watch for watch, at in doubts.items() if at <= loop.time()}
            if asked or self._versions_due() or (overdue and loop.time() >= confirm):
                return asked | overdue
        return None

    async def _hinted_before(self, until: float) -> set[Watch] | None:
        while await self._questions.wait(until):
            _, hinted = self._questions.take()
            if hinted:
                return hinted
        return None

    def _versions_due(self) -> bool:
        now = asyncio.get_running_loop().time()
        known = self._known
        return bool(known.gate_facts.due(now) or known.served.due() or known.last_good.due())
