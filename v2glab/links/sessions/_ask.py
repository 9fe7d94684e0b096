"""The vehicle's side of every protocol: agree on one, then ask and judge each answer."""

from __future__ import annotations

from collections.abc import Sequence

from v2glab.links.sessions._failure import SessionFailure, failure
from v2glab.links.sessions._message import NEW_SESSION, Body, Message
from v2glab.links.sessions._wire import MessageLink


class Asker:
    """Sends requests and takes their answers.

    ``session_id`` is that of the charger once it has answered SessionSetupReq; set it before to join a paused
    session.
    """

    def __init__(self, link: MessageLink, session_id: str = NEW_SESSION) -> None:
        self.link, self.session_id = link, session_id
        self.last = ""

    async def agree(self, protocols: Sequence[str]) -> str:
        """Offer protocols, the preferred one first; return the one that the charger took.

        Raises
        ------
        SessionFailure
            None is common, or the answer names one that was not offered.
        """
        offers, rules = [], self.link.rules
        for number, name in enumerate(protocols):
            protocol = rules.of_protocol(name)
            for namespace in protocol.offers:
                major, minor = protocol.version
                offers.append((name, {
                    "ProtocolNamespace": namespace, "VersionNumberMajor": major, "VersionNumberMinor": minor,
                    "SchemaID": number + 1, "Priority": number + 1,
                }))  # fmt: skip
        limits = rules.limits["sap"]
        await self.link.send(Message("supportedAppProtocolReq", {"AppProtocol": [o for _, o in offers]}))
        timeout = limits.answer_s("supportedAppProtocolReq")
        answer = await self.link.receive(timeout, "supportedAppProtocolRes")
        if not answer.response_code.startswith("OK"):
            raise self.fail("no-common-protocol", answer)
        chosen = next((n for n, o in offers if o["SchemaID"] == answer.body.get("SchemaID")), None)
        if chosen is None:
            raise self.fail("no-common-protocol", answer, f"SchemaID {answer.body.get('SchemaID')}")
        self.link.agree(chosen)
        return chosen

    async def ask(self, name: str, body: Body | None = None, *, signature: Body | None = None) -> Message:
        """Send a request, without its suffix ``Req``, and return the answer that grants it.

        Raises
        ------
        SessionFailure
            No fit answer came, or the charger refused.
        """
        protocol = self.link.protocol
        if protocol is None:
            raise failure("unexpected-message", name, "evcc", "no protocol was agreed on")
        self.last = name
        await self.link.send(Message(f"{name}Req", body or {}, self.session_id, signature))
        timeout = self.link.rules.limits[protocol.limits].answer_s(name)
        answer = await self.link.receive(timeout, f"{name}Res")
        self._judge(answer, name)
        return answer

    def _judge(self, answer: Message, name: str) -> None:
        if answer.name != f"{name}Res":
            raise self.fail("unexpected-message", answer, f"{answer.name} instead of {name}Res")
        code = answer.response_code
        if code.startswith("FAILED"):
            raise self.fail(self.link.rules.response.get(code, "refused"), answer, code)
        if name == "SessionSetup":
            self.session_id = answer.session_id
        elif answer.session_id != self.session_id:
            raise self.fail("wrong-session", answer, f"{answer.session_id}, not {self.session_id}")

    def fail(self, cause: str, answer: Message, *evidence: str) -> SessionFailure:
        """Return the failure that an answer means."""
        return failure(
            cause,
            answer.name,
            "evcc",
            *evidence,
            trace=self.link.trace,
            response_code=answer.response_code,
            rules=self.link.rules,
        )
