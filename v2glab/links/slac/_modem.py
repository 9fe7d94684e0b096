"""A modem of the twin: takes keys from its host, reports the level of sounds, loses frames to noise."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

import numpy as np

from v2glab.evidence import InputError
from v2glab.links.slac._channel import PlcChannel
from v2glab.links.slac._error import SlacFrameError
from v2glab.links.slac._frame import Frame, decode_frame, encode_frame, message_type, parse_mac
from v2glab.links.slac._keys import NID_LENGTH, NMK_LENGTH
from v2glab.links.slac._link import Link
from v2glab.links.slac._messages import AttenProfileInd, MnbcSoundInd, SetKeyCnf, SetKeyReq
from v2glab.links.slac._rules import load_slac_rules


class EmulatedModem:
    """Stands between a host and a line that only carries frames; itself a link.

    Parameters
    ----------
    link
        The line: raw Ethernet or a frame relay.
    channels
        Channel from each sender, by its address. Frames of others pass unharmed, and without a report of
        their level.
    seed
        Seed of losses and of the spread between sounds.
    key_result
        What it answers to CM_SET_KEY.REQ.
    local
        Address at which it listens to its host.
    """

    def __init__(
        self,
        link: Link,
        channels: Mapping[bytes, PlcChannel] | None = None,
        *,
        seed: int = 0,
        key_result: int = 0,
        local: bytes | None = None,
    ) -> None:
        if not 0 <= seed < 2**63:
            raise InputError(f"seed {seed}", "0 or a positive integer", "give another seed")
        self._link, self._channels = link, dict(channels or {})
        self._loss = {mac: channel.frame_loss() for mac, channel in self._channels.items()}
        self._random = np.random.default_rng(seed)
        self._key_result = key_result
        self._local = local or parse_mac(load_slac_rules().key.modem)
        self._to_host: deque[bytes] = deque()
        self.nid, self.nmk = bytes(NID_LENGTH), bytes(NMK_LENGTH)
        self.lost = 0

    @property
    def address(self) -> bytes:
        """The host's address."""
        return self._link.address

    def send(self, data: bytes) -> None:
        """Put a frame on the line, or take it when it is for the modem itself."""
        if data[:6] != self._local:
            self._link.send(data)
            return
        try:
            message = decode_frame(data).message
        except SlacFrameError:
            return  # a modem leaves alone what it does not know
        if isinstance(message, SetKeyReq):
            if self._key_result in load_slac_rules().key.accepted_results:
                self.nid, self.nmk = message.nid, message.new_key
            answer = SetKeyCnf(self._key_result, your_nonce=message.my_nonce)
            self._to_host.append(encode_frame(Frame(self.address, self._local, answer)))

    async def receive(self, timeout_s: float | None) -> bytes | None:
        """Return the next frame for the host, or None after the time has passed."""
        loop = asyncio.get_running_loop()
        until_s = None if timeout_s is None else loop.time() + timeout_s
        while True:
            if self._to_host:
                return self._to_host.popleft()
            data = await self._link.receive(None if until_s is None else until_s - loop.time())
            if data is None:
                return None
            if self._hear(data):
                return data

    def close(self) -> None:
        """Close the line."""
        self._link.close()

    def _hear(self, data: bytes) -> bool:
        """Decide whether a frame comes through; a sound that does is followed by a report of its level."""
        source = data[6:12]
        channel = self._channels.get(source)
        if channel is None:
            return True
        if self._random.random() < self._loss[source]:
            self.lost += 1
            return False
        # A modem measures whatever has the type of a sound; the rest of it is for the host to judge.
        if message_type(data) == MnbcSoundInd.TYPE:
            report = AttenProfileInd(source, channel.sound(self._random))
            self._to_host.append(encode_frame(Frame(self.address, self._local, report)))
        return True
