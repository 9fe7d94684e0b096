"""Parameters of a barrier analysis that say which services are stacked, and what a rate leaves open."""

from __future__ import annotations

from pydantic import Field, field_validator

from v2glab.procedures._barrier_services import ServiceSettings, service_names
from v2glab.procedures._procedure import Parameters


class ServiceParameters(Parameters):
    """Services and metering.

    Attributes
    ----------
    services
        ``arbitrage``, ``self-consumption``, ``frequency-response``, separated by commas; they stack.
    own_use
        Load and generation of the building, ``utc,load_kw,pv_kw``; empty takes the synthetic example.
    frequency
        Measured frequency of the grid, ``time_s,frequency_hz``; empty takes a synthetic example.
    metering, currency
        How a rate of the database settles export, and its currency, where its file does not say.
    reserve_per_mw_h
        What a MW that stands ready earns in an hour, in the tariff's currency.
    reserve_duration_h
        How long full response has to last.
    deadband_hz, full_at_hz, nominal_hz
        The droop: no response within the dead band, all of it at ``full_at_hz`` from nominal.
    fleet
        Vehicles whose power an aggregator bids together; they are like those of the sample.
    undelivered_share
        Share of what was bid that is not delivered.
    """

    services: str = "arbitrage"
    own_use: str = ""
    frequency: str = ""
    metering: str = ""
    currency: str = ""
    reserve_per_mw_h: float = Field(default=10.0, ge=0, le=10_000)
    reserve_duration_h: float = Field(default=0.25, gt=0, le=24)
    deadband_hz: float = Field(default=0.01, ge=0, lt=5)
    full_at_hz: float = Field(default=0.2, gt=0, lt=5)
    nominal_hz: float = Field(default=50.0, ge=40, le=70)
    fleet: int = Field(default=100, ge=1, le=10_000_000)
    undelivered_share: float = Field(default=0.05, ge=0, le=1)

    @field_validator("services")
    @classmethod
    def _known(cls, text: str) -> str:
        service_names(text)
        return text

    def service_settings(self) -> ServiceSettings:
        """Return what is asked for."""
        return ServiceSettings(
            service_names(self.services),
            self.own_use,
            self.frequency,
            self.reserve_per_mw_h,
            self.reserve_duration_h,
            self.deadband_hz,
            self.full_at_hz,
            self.nominal_hz,
            self.fleet,
            self.undelivered_share,
        )
