"""A vehicle and a charger of DIN 70121 and ISO 15118-2 on a loopback connection, on a clock of their own."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from v2glab.links.sessions import (
    Asker,
    DriverParts,
    MessageLink,
    ModelBattery,
    ModelCharger,
    PowerLimits,
    SessionFailure,
    SessionServer,
    Wanted,
    Wishes,
    load_session_rules,
)
from v2glab.links.sessions._message import NEW_SESSION
from v2glab.links.sessions._offer import Offer
from v2glab.links.sessions._registry import make_driver, service_maker
from v2glab.links.tls import connect_plain, serve_plain

_LONGER = {"message_s": {}, "message_default_s": 20.0}
_RULES = load_session_rules()
#: The standards' rules but for the answers' time-outs, which a busy machine could miss.
PATIENT = _RULES.model_copy(update={"limits": {
    name: limits.model_copy(update=_LONGER) for name, limits in _RULES.limits.items()
}})  # fmt: skip
BOTH = ("din", "iso2")
AC_LIMITS = PowerLimits(11_000, 0, 0, 0, 0, 0, phase_v=230)


@dataclass
class Clock:
    """Seconds that pass only when somebody sleeps."""

    now_s: float = 0.0

    def __call__(self):
        return self.now_s

    async def sleep(self, seconds):
        self.now_s += seconds


@dataclass
class Line:
    """Both ends; ``secc_failures`` collects how sessions ended at the charger, None for a good end."""

    protocol: str
    offer: Offer = field(default_factory=Offer)
    battery: ModelBattery = field(default_factory=ModelBattery)
    clock: Clock = field(default_factory=Clock)
    rules: object = PATIENT
    tamper: object = None
    secc_tamper: object = None
    charger: ModelCharger = None
    endings: list = field(default_factory=list)
    services: list = field(default_factory=list)

    def __post_init__(self):
        self.charger = self.charger or ModelCharger(self.battery, clock=self.clock)

    async def serve(self, stream):
        link = MessageLink(stream, "secc", rules=self.rules, tamper=self.secc_tamper)
        make = service_maker(self.protocol, self.charger, self.offer)

        def made():
            self.services.append(make())
            return self.services[-1]

        ending = None
        try:
            await SessionServer(link, self.charger, {self.protocol: made}).run()
        except SessionFailure as error:
            ending = error
        self.endings.append(ending)

    @asynccontextmanager
    async def asker(self, session_id=NEW_SESSION):
        """Agree on the protocol over a new connection."""
        async with await serve_plain(self.serve, port=0) as listener:
            stream = await connect_plain("::1", listener.port)
            link = MessageLink(stream, "evcc", rules=self.rules, tamper=self.tamper)
            asker = Asker(link, session_id)
            try:
                await asker.agree([self.protocol])
                yield asker
            finally:
                await link.close()
                await self.settle()

    @asynccontextmanager
    async def vehicle(self, wishes=None, session_id=NEW_SESSION):
        async with self.asker(session_id) as asker:
            yield make_driver(DriverParts(asker, self.battery, wishes or Wishes("dc"), self.clock.sleep))

    async def settle(self):
        """Wait until the charger's end is through."""
        for _ in range(2000):
            if len(self.endings) >= len(self.services):
                return
            await asyncio.sleep(0.005)

    @property
    def is_safe(self):
        return not (self.charger._closed or self.battery.contactor_closed or self.charger._current_a)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 30))


def names(asker, direction="tx"):
    return [r.name for r in asker.link.trace.records if r.direction == direction]


async def fails(line, wishes=None, cycles=1):
    with pytest.raises(SessionFailure) as caught:
        async with line.vehicle(wishes) as driver:
            await driver.set_up()
            for _ in range(cycles):
                await driver.cycle(Wanted(-1000))
            await driver.stop()
    return caught.value


def impatient(protocol, **limits):
    shorter = PATIENT.limits[protocol].model_copy(update=limits)
    return PATIENT.model_copy(update={"limits": {**PATIENT.limits, protocol: shorter}})
