"""A vehicle and a charger of ISO 15118-20 over real sockets, on a clock that tests advance."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from v2glab.links.sessions import (
    Asker,
    Fixed,
    MessageLink,
    ModelBattery,
    ModelCharger,
    Offer,
    OpenSettings,
    Parcel,
    ServeSettings,
    Wishes,
    load_session_rules,
    open_session,
    serve_sessions,
)
from v2glab.links.tls import connect_plain

SERVICES = [(s, c) for s in ("dc_bpt", "dc", "ac_bpt", "ac") for c in ("scheduled", "dynamic")]


#: The standard's rules but for time-outs in the loop that a busy machine could miss.
RULES = load_session_rules()
_LIMITS = RULES.limits["iso20"].model_copy(
    update={"sequence_loop_s": 20.0, "message_s": {}, "message_default_s": 20.0}
)
PATIENT = RULES.model_copy(update={"limits": {**RULES.limits, "iso20": _LIMITS}})


def run(coroutine, limit_s=60):
    return asyncio.run(asyncio.wait_for(coroutine, limit_s))


class Clock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s

    async def sleep(self, seconds):
        self.now_s += seconds
        await asyncio.sleep(0)


class Spoiler:
    """Changes, drops or cuts messages. ``change(message)`` gives another, the same, or None for nothing."""

    def __init__(self, change=lambda message: message, cut_at=None, half=False):
        self.change, self.cut_at, self.half, self.seen = change, cut_at, half, []

    def message(self, message):
        self.seen.append(message.name)
        return self.change(message)

    def octets(self, message, octets):
        if self.cut_at is None or len(self.seen) - 1 < self.cut_at:
            return [Parcel(octets)]
        return [Parcel(octets[: len(octets) // 2] if self.half else b"", close=True)]


@dataclass
class Line:
    """Both ends and what is between them. ``ended`` are the sessions that ended at the charger."""

    offer: Offer = field(default_factory=Offer)
    battery: ModelBattery = field(default_factory=ModelBattery)
    charger: ModelCharger = None
    wishes: Wishes = field(default_factory=Wishes)
    spoiler: Spoiler = None
    charger_spoiler: Spoiler = None
    files: object = None
    more: dict = field(default_factory=dict)
    rules: object = PATIENT
    ended: object = ()

    def __post_init__(self):
        self.clock = Clock()
        if self.charger is None:
            self.charger = ModelCharger(self.battery, metered="connector")
        self.charger.clock = self.clock

    @property
    def protocol(self):
        return f"iso20-{self.wishes.service.split('_')[0]}"

    def tls(self, end):
        from v2glab.links.tls import TlsSettings

        return TlsSettings(end, self.files) if self.files else None

    @asynccontextmanager
    async def listener(self):
        settings = ServeSettings(
            self.charger,
            self.offer,
            (self.protocol,),
            port=0,
            tls=self.tls("secc"),
            tamper=self.charger_spoiler,
            rules=self.rules,
        )
        async with await serve_sessions(settings) as listener:
            self.ended = listener.ended
            yield listener

    def settings(self, port, **more):
        known = {"clock": self.clock, "sleep": self.clock.sleep, "cycle_s": 20.0, "keep_alive": False}
        return OpenSettings(
            self.battery, Fixed("::1", port), self.tls("evcc"), self.wishes,
            tamper=self.spoiler, rules=self.rules, **(known | self.more | more),
        )  # fmt: skip

    @asynccontextmanager
    async def session(self, **more):
        """A session, opened as a user does."""
        async with self.listener() as listener:
            try:
                async with open_session(self.settings(listener.port, **more)) as session:
                    yield session
            finally:
                await self.settled()

    @asynccontextmanager
    async def asker(self):
        """The vehicle's end without a driver, for requests by hand."""
        async with self.listener() as listener:
            link = MessageLink(
                await connect_plain("::1", listener.port), "evcc", tamper=self.spoiler, rules=self.rules
            )
            asker = Asker(link)
            try:
                await asker.agree([self.protocol])
                yield asker
            finally:
                await link.close()
                await self.settled()

    async def settled(self):
        """Wait until the charger has seen the end of the session."""
        for _ in range(4000):
            if self.ended:
                return
            await asyncio.sleep(0.005)
        raise AssertionError("the charger never saw the end of the session")

    @property
    def failure(self):
        """How the last session ended at the charger; None for a good end."""
        return self.ended[-1].failure

    def assert_safe(self):
        """Both contactors are open and nothing flows."""
        assert not self.battery.contactor_closed
        assert not self.charger._closed
        assert self.charger._current_a == 0 and self.battery.current_a == 0
