"""The vehicle's requests from SessionSetup to ServiceSelection."""

from __future__ import annotations

from v2glab.evidence import InputError
from v2glab.links.sessions._message import NEW_SESSION, Body, Message
from v2glab.links.sessions.iso20._install import install_contract
from v2glab.links.sessions.iso20._pnc import sign_authorization
from v2glab.links.sessions.iso20._vehicle_side import VehicleSide

_WAYS = {"eim": "EIM", "pnc": "PnC"}


async def begin(side: VehicleSide) -> None:
    """Begin or join a session, and be authorised."""
    asker = side.asker
    wanted = asker.session_id
    answer = await side.ask("SessionSetup", {"EVCCID": side.wishes.evcc_id})
    side.known = True
    side.joined = wanted != NEW_SESSION and answer.response_code == "OK_OldSessionJoined"
    setup = await side.ask("AuthorizationSetup")
    if side.wishes.install_contract:
        await _install(side, setup)
    await authorise(side, setup)


async def _install(side: VehicleSide, setup: Message) -> None:
    if side.wishes.contract is None:
        required = "a folder with the provisioning certificate"
        raise InputError("no folder", required, "name it in the wishes")
    if not setup.body["CertificateInstallationService"]:
        raise side.asker.fail("bad-contract", setup, "the charger installs no certificates")
    side.contract = await install_contract(side, side.wishes.contract)


async def authorise(side: VehicleSide, setup: Message) -> None:
    """Be authorised in the way that the wishes name."""
    way = _WAYS[side.wishes.authorisation]
    if way not in setup.body["AuthorizationServices"]:
        offered = ", ".join(setup.body["AuthorizationServices"])
        raise side.asker.fail("not-authorised", setup, f"offered {offered}, wanted {way}")
    body: Body = {"SelectedAuthorizationService": way}
    signature = None
    if way == "PnC":
        signature = sign_authorization(side, setup, body)
    else:
        body["EIM_AReqAuthorizationMode"] = {}
    limits = side.asker.link.rules.limits["iso20"]
    await side.ask_until("Authorization", body, limits.ongoing_s, "ongoing-too-long", signature)


async def choose(side: VehicleSide) -> None:
    """Select the wanted energy service, with the wanted control mode."""
    service = side.service
    listed = await side.ask("ServiceDiscovery", {"SupportedServiceIDs": {"ServiceID": [service.id]}})
    offered = [s["ServiceID"] for s in listed.body["EnergyTransferServiceList"]["Service"]]
    if service.id not in offered:
        raise side.asker.fail("no-common-service", listed, f"offered {offered}, wanted {service.id}")
    detail = await side.ask("ServiceDetail", {"ServiceID": service.id})
    chosen = _matching_set(side, detail)
    selected = {"ServiceID": service.id, "ParameterSetID": chosen}
    await side.ask("ServiceSelection", {"SelectedEnergyTransferService": selected})


def _matching_set(side: VehicleSide, detail: Message) -> int:
    wanted = side.rules.control.get(side.wishes.control)
    if wanted is None:
        known = ", ".join(side.rules.control)
        raise InputError(f"control {side.wishes.control!r:.40}", f"one of {known}", "name one of those")
    for parameters in detail.body["ServiceParameterList"]["ParameterSet"]:
        found = {p["Name"]: p.get("intValue") for p in parameters["Parameter"]}
        if found.get("ControlMode") == wanted and found.get("MobilityNeedsMode", 1) == 1:
            return int(parameters["ParameterSetID"])
    raise side.asker.fail("no-common-service", detail, f"no set with control mode {side.wishes.control}")
