"""The charger's answers from SessionSetup to ServiceSelection."""

from __future__ import annotations

import base64

from v2glab.links.sessions._message import NEW_SESSION, Body, Message
from v2glab.links.sessions._offer import Identification
from v2glab.links.sessions._serve import Answer
from v2glab.links.sessions.iso20._charger import ChargerSide
from v2glab.links.sessions.iso20._contract import judge_contract
from v2glab.links.sessions.iso20._modes import Mode

_WAYS = {"eim": "EIM", "pnc": "PnC"}
_CHALLENGE_OCTETS = 16


async def session_setup(side: ChargerSide, request: Message) -> Answer:
    """Begin a session, or join one that this vehicle has paused."""
    side.vehicle = request.body["EVCCID"]
    paused = None
    if request.session_id != NEW_SESSION:
        paused = side.offer.paused.join(request.session_id, side.vehicle, side.protocol)
    if paused is None:
        side.session_id, code = side.offer.paused.new_id(side.offer.random), "OK_NewSessionEstablished"
    else:
        side.session_id, code = paused.session_id, "OK_OldSessionJoined"
        side.way, side.contract = paused.facts["way"], paused.facts["contract"]
        side.granted = True
    return side.answer("SessionSetup", code=code, EVSEID=side.offer.evse_id)


async def authorization_setup(side: ChargerSide, request: Message) -> Answer:
    """Tell the ways of authorisation; with Plug and Charge a challenge that the vehicle must sign."""
    body: Body = {
        "AuthorizationServices": [_WAYS[w] for w in side.offer.authorisation],
        "CertificateInstallationService": side.offer.issuer is not None,
    }
    if "pnc" in side.offer.authorisation:
        side.challenge = side.offer.random(_CHALLENGE_OCTETS)
        body["PnC_ASResAuthorizationMode"] = {"GenChallenge": base64.b64encode(side.challenge).decode()}
    else:
        body["EIM_ASResAuthorizationMode"] = {}
    return side.answer("AuthorizationSetup", body=body)


async def authorization(side: ChargerSide, request: Message) -> Answer:
    """Check who the vehicle is, and whether it may have energy."""
    selected = request.body["SelectedAuthorizationService"]
    way = "pnc" if selected == "PnC" else "eim"
    if way not in side.offer.authorisation or f"{selected}_AReqAuthorizationMode" not in request.body:
        return _refused(side, "WARNING_AuthorizationSelectionInvalid")
    code = judge_contract(side, request) if way == "pnc" else "OK"
    if not code.startswith("OK"):
        return _refused(side, code)
    return await _grant(side, way, code)


async def _grant(side: ChargerSide, way: str, code: str) -> Answer:
    asked = Identification(side.vehicle, "pnc" if way == "pnc" else "eim", side.contract)
    # Who joins a paused session the way it was begun has been authorised for it already.
    joined = side.granted and side.way == way
    said = "granted" if joined else await side.offer.authorise(asked)
    if said == "granted":
        side.way, side.granted = way, True
        return side.answer("Authorization", "finished", code=code, EVSEProcessing="Finished")
    if said == "refused":
        eim = way == "eim"
        return _refused(side, "WARNING_EIMAuthorizationFailure" if eim else "WARNING_eMSPUnknown")
    waiting = "Ongoing_WaitingForCustomerInteraction" if said == "waiting" else "Ongoing"
    return side.answer("Authorization", "ongoing", code=code, EVSEProcessing=waiting)


def _refused(side: ChargerSide, code: str) -> Answer:
    return side.answer("Authorization", "refused", code=code, EVSEProcessing="Finished")


async def service_discovery(side: ChargerSide, request: Message) -> Answer:
    """List the energy services; those alone that the vehicle knows, where it tells them and one fits."""
    known = request.body.get("SupportedServiceIDs", {}).get("ServiceID")
    offered = [s.id for s in side.services.values()]
    fit = [i for i in offered if known is None or i in known] or offered
    if not fit:
        raise side.rules.refuse("service-not-offered", "this charger has no service in this protocol")
    return side.answer(
        "ServiceDiscovery",
        ServiceRenegotiationSupported=side.offer.renegotiable,
        EnergyTransferServiceList={"Service": [{"ServiceID": i, "FreeService": True} for i in fit]},
    )


async def service_detail(side: ChargerSide, request: Message) -> Answer:
    """Tell the parameter sets of a service, one for each control mode."""
    identifier = request.body["ServiceID"]
    service = next((s for s in side.services.values() if s.id == identifier), None)
    if service is None:
        raise side.rules.refuse("unknown-service", f"service {identifier}")
    sets = []
    for number, control in side.controls.items():
        # Needs of mobility are the vehicle's own in either mode.
        values = service.parameters | {"ControlMode": side.rules.control[control], "MobilityNeedsMode": 1}
        sets.append({
            "ParameterSetID": number,
            "Parameter": [{"Name": n, "intValue": v} for n, v in values.items()],
        })  # fmt: skip
    return side.answer("ServiceDetail", ServiceID=identifier, ServiceParameterList={"ParameterSet": sets})


async def service_selection(side: ChargerSide, request: Message) -> Answer:
    """Take the vehicle's choice of service and control mode."""
    chosen = request.body["SelectedEnergyTransferService"]
    service = next((s for s in side.services.values() if s.id == chosen["ServiceID"]), None)
    control = side.controls.get(chosen["ParameterSetID"])
    if service is None or control is None:
        told = f"service {chosen['ServiceID']}, set {chosen['ParameterSetID']}"
        raise side.rules.refuse("service-not-offered", told)
    if "SelectedVASList" in request.body:
        raise side.rules.refuse("added-service-not-offered", "no added services are offered")
    side.service, side.mode = service, Mode.of(service, control)
    side.vehicle_limits = side.schedule = None
    return side.answer("ServiceSelection", side.kind)
