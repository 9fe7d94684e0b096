"""Put the plant behind its servers and serve until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from v2glab.evidence import InputError, UsageError, write_atomic
from v2glab.gateway import PkiPaths, create_pki
from v2glab.instruments import ModbusProfile, load_profile
from v2glab.links import serve_json_rpc
from v2glab.station import StationFile, load_station
from v2glab.twin._banks import ChargerBank, ProfileBank, meter_values
from v2glab.twin._charging_station import ChargingStation
from v2glab.twin._clock import TwinClock, Watchdog
from v2glab.twin._hwmon import HwmonRoot
from v2glab.twin._logs import ChargerLog
from v2glab.twin._modbus import ModbusServer
from v2glab.twin._plant import Plant
from v2glab.twin._scpi import serve_device
from v2glab.twin._scpi_analyser import analyser
from v2glab.twin._scpi_dmm import multimeter
from v2glab.twin._scpi_grid import grid_source
from v2glab.twin._scpi_scope import clamps, oscilloscope
from v2glab.twin._station_plant import events_of, make_event, plant_settings
from v2glab.twin._vehicle_link import VehicleLink

_CHARGER_UNIT, _METER_UNIT = 1, 2
_SCPI = {
    "analyser": analyser,
    "dmm": multimeter,
    "scope": oscilloscope,
    "clamps": clamps,
    "grid": grid_source,
}
#: How long the bench outlives its user: the guardian may still have to open the contactor.
_LINGER_S = 1.0


#: Priority of the process, where that is permitted.
_NICENESS = -10


class Twin:
    """One simulated bench with its servers.

    Parameters
    ----------
    station_path
        Station file with ``twin:`` addresses.
    work_dir
        Folder for logs, certificates and the fake hwmon tree.
    """

    def __init__(
        self,
        station_path: Path,
        work_dir: Path,
        *,
        clock: str | None,
        seed: int | None,
        faults: Sequence[str],
    ) -> None:
        self.station: StationFile = load_station(station_path)
        if self.station.twin is None:
            raise InputError(f"{station_path} is a live station", "a station of kind 'twin'", "use twin.toml")
        self.work_dir = work_dir
        self.mode = clock or self.station.station.clock
        self.faults = tuple(dict.fromkeys((*self.station.twin.faults, *faults)))
        self.plant = Plant(plant_settings(self.station, seed), events_of(self.station))
        self.log = ChargerLog(work_dir / "charger.log")
        self.plant.listeners.append(self.log)
        for fault in self.faults:
            self.plant.set_fault(fault, True)
        self.hwmon = HwmonRoot(work_dir / "hwmon")
        self.clock = TwinClock(self.plant, self.mode, self.hwmon.update)
        self.watchdog = Watchdog(self.plant)
        self.addresses: dict[str, str] = {}
        self.charging_station: ChargingStation | None = None
        self.vehicle_link: VehicleLink | None = None
        self.stopping = asyncio.Event()

    async def start(self) -> None:
        """Bring up every server; afterwards :attr:`addresses` holds where they listen."""
        self.hwmon.update(self.plant.state)
        await self._start_modbus()
        for name, make in _SCPI.items():
            _, port = await serve_device(make(self.plant))
            self.addresses[name] = f"TCPIP::127.0.0.1::{port}::SOCKET"
        _, port = await serve_json_rpc(self._methods())
        self.addresses["control"] = f"127.0.0.1:{port}"
        self.addresses["hwmon"] = self.hwmon.root.resolve().as_uri()
        pki = self._pki()
        self.addresses["pki"] = str(pki.folder)
        self.charging_station = self._charging_station(pki)
        await self._start_vehicle_link()
        self.addresses["charger_log"] = str(self.work_dir / "charger.log")
        self.addresses["gateway_log"] = str(self.work_dir / "gateway.log")

    def tasks(self) -> list[asyncio.Task[None]]:
        """Start what runs beside the servers."""
        tasks = [asyncio.create_task(self.clock.run()), asyncio.create_task(self.watchdog.run())]
        if self.charging_station is not None:
            tasks.append(asyncio.create_task(self.charging_station.run()))
        return tasks

    def resolved(self) -> dict[str, Any]:
        """Return the station file with real addresses."""
        document = self.station.model_dump(by_alias=True, exclude_none=True, mode="json")
        twin = document["twin"]
        twin |= {"control": self.addresses["control"], "pid": os.getpid(), "faults": list(self.faults)}
        twin["seed"] = self.plant.settings.seed
        document["station"]["clock"] = self.mode
        return dict(_replace(document, self.addresses))

    async def _start_modbus(self) -> None:
        entry = self.station.instruments.get("meter")
        if entry is None:
            raise InputError("a station without a meter", "[instruments.meter]", "add one to the file")
        evse, meter = load_profile("twin_evse"), load_profile(entry.profile)
        if not (isinstance(evse, ModbusProfile) and isinstance(meter, ModbusProfile)):
            raise InputError("a meter profile of another kind", "kind = 'modbus'", "choose a Modbus meter")
        server = ModbusServer(
            {
                _CHARGER_UNIT: ChargerBank(evse, self.plant, self.watchdog.note),
                _METER_UNIT: ProfileBank(meter, lambda: meter_values(self.plant.state)),
            }
        )
        host, port = await server.start()
        for name, unit in (("charger", _CHARGER_UNIT), ("inverter", _CHARGER_UNIT), ("meter", _METER_UNIT)):
            self.addresses[name] = f"tcp://{host}:{port}?unit={unit}"

    async def _start_vehicle_link(self) -> None:
        """Answer vehicles when the station file has a section for them."""
        if (section := self.station.vehicle) is None:
            return
        part_20, part_2 = (self.work_dir.resolve() / f"vehicle-pki{end}" for end in ("", "-iso2"))
        folders, lockstep = {"iso15118-20": part_20, "iso15118-2": part_2}, self.mode == "lockstep"
        link = VehicleLink(self.plant, self.log, section.port, folders, lockstep=lockstep)
        await link.start()
        self.vehicle_link = link
        self.addresses |= {
            "vehicle": link.address,
            "vehicle_pki": str(part_20),
            "vehicle_pki_iso2": str(part_2),
        }

    def _pki(self) -> PkiPaths:
        identity = self.station.gateway.station_id if self.station.gateway else "V2GLAB-TWIN"
        expired = ("station",) if "expired_certificate" in self.faults else ()
        return create_pki(self.work_dir / "pki", identity, expired=expired)

    def _charging_station(self, pki: PkiPaths) -> ChargingStation | None:
        """Return the OCPP client; ``None`` when the station file names no gateway or port 0."""
        gateway = self.station.gateway
        if gateway is None or gateway.port == 0:
            return None
        identity = gateway.station_id
        url = f"wss://{gateway.host}:{gateway.port}/{quote(identity)}"
        return ChargingStation(self.plant, url, pki, identity, self.log)

    def _methods(self) -> dict[str, Callable[..., Any]]:
        return {
            "clock.now": self.clock.now,
            "clock.advance": self.clock.advance,
            "fault.set": self._set_fault,
            "grid.event": lambda **fields: self.plant.schedule(make_event(fields, self.plant.time_ns)),
            "plant.state": lambda: asdict(self.plant.state),
            "shutdown": self.stopping.set,
        }

    def _set_fault(self, name: str, enabled: bool) -> None:
        if not isinstance(enabled, bool):
            raise InputError(f"enabled = {enabled!r}", "true or false", "mend the call")
        if name == "expired_certificate":
            raise UsageError(
                f"{name} on a twin under way",
                "a twin that starts with it: certificates are read once",
                "start the twin with --fault expired_certificate",
            )
        self.plant.set_fault(str(name), enabled)


async def serve(twin: Twin, resolved: Path | None, parent_pid: int | None) -> None:
    """Serve until SIGTERM, SIGINT, a call of ``shutdown``, or shortly after the parent's death."""
    import tomli_w

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, twin.stopping.set)
    # It stands for hardware, whose watchdog no busy computer holds up. Who may not, does without.
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    await twin.start()
    tasks = twin.tasks()
    if parent_pid is not None:
        tasks.append(asyncio.create_task(_follow_parent(parent_pid, twin.stopping)))
    if resolved is not None:
        write_atomic(resolved, tomli_w.dumps(twin.resolved()).encode())
    stopped: asyncio.Task[Any] = asyncio.create_task(twin.stopping.wait())
    done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if twin.vehicle_link is not None:
        await twin.vehicle_link.close()
    for task in tasks:
        task.cancel()
    for ended in done:
        with contextlib.suppress(asyncio.CancelledError):
            ended.result()
    twin.log.close()


async def _follow_parent(pid: int, stopping: asyncio.Event) -> None:
    """Stop when the process that started this one has ended: a bench without a user must not stay.

    A process handle tells the end at once, of one that nobody has waited for, too; a number may be used anew.
    """
    gone = asyncio.Event()
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        gone.set()
    else:
        asyncio.get_running_loop().add_reader(handle, gone.set)
    await gone.wait()
    sys.stderr.write("the process that started the twin is gone\n")
    await asyncio.sleep(_LINGER_S)
    stopping.set()


def _replace(node: Any, addresses: dict[str, str]) -> Any:  # noqa: ANN401 -- any part of a document
    if isinstance(node, dict):
        return {key: _replace(value, addresses) for key, value in node.items()}
    if isinstance(node, list):
        return [_replace(value, addresses) for value in node]
    if isinstance(node, str) and node.startswith("twin:"):
        name = node.removeprefix("twin:")
        if name not in addresses:
            raise InputError(f"address {node!r}", f"twin:NAME with one of {sorted(addresses)}", "mend it")
        return addresses[name]
    return node
