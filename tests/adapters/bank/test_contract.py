from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ivr_engine.adapters.bank.rest import RestCore
from ivr_engine.adapters.bank.server import core_application
from tests.adapters.bank.benches import TOKEN, opened_bench, served
from tests.banking.contract import Bench, CoreBankContract
from tests.waiting import PATIENCE_S


class TestEmbeddedCore(CoreBankContract):
    @pytest.fixture
    async def bench(self, database_url: str) -> AsyncIterator[Bench]:
        async with opened_bench(database_url) as bench:
            yield bench


class TestRestCoreBeforeEmbeddedCore(CoreBankContract):
    @pytest.fixture
    async def bench(self, database_url: str) -> AsyncIterator[Bench]:
        async with opened_bench(database_url) as far, served(core_application(far.core, token=TOKEN)) as url:
            core = RestCore(url, token=TOKEN, deadline_s=PATIENCE_S)
            yield Bench(core, far.bank, far.clock)
            await core.close()
