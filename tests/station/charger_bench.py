"""A charger of its own behind real Modbus TCP, for tests of the guardian; run as a process.

It knows contactor, power set-point, run bit and watchdog at the addresses of drivers/twin_evse.toml. The
contacts part 15 ms after the command. Prints its port, serves until its standard input closes.
"""

import asyncio
import os
import struct
import sys
import threading
import time

CONTACTOR, FEEDBACK, POWER, RUN, TIMEOUT, KICK, FAULT = 0x4001, 0x4003, 0x4004, 0x4009, 0x400A, 0x400B, 0x400C
OPENING_S = 0.015


class Charger:
    def __init__(self, *, weld: bool, deaf: bool) -> None:
        self.words = dict.fromkeys(range(0x4000, 0x4020), 0)
        self.weld, self.deaf = weld, deaf
        self.opened_s = 0.0
        self.kicked_s = time.monotonic()

    def write(self, address: int, words: list[int]) -> None:
        for offset, word in enumerate(words):
            self.words[address + offset] = word
        if address == KICK:
            self.kicked_s = time.monotonic()
        if address == CONTACTOR:
            self.switch(bool(words[0]))

    def switch(self, close: bool) -> None:
        self.words[CONTACTOR] = int(close)
        if close:
            self.words[FEEDBACK] = 1
        else:
            self.opened_s = time.monotonic()

    def settle(self) -> None:
        now_s = time.monotonic()
        timeout_s = self.words[TIMEOUT] * 1e-3
        if timeout_s and now_s - self.kicked_s > timeout_s and self.words[CONTACTOR]:
            self.words[FAULT] = 99
            self.switch(False)
        if not self.words[CONTACTOR] and not self.weld and now_s - self.opened_s > OPENING_S:
            self.words[FEEDBACK] = 0

    def answer(self, request: bytes) -> bytes:
        self.settle()
        function, address, count = struct.unpack(">BHH", request[:5])
        last = address if function == 6 else address + count - 1
        if address not in self.words or last not in self.words:
            return bytes([function | 0x80, 2])
        if function == 3:
            words = [self.words[address + i] for i in range(count)]
            return struct.pack(f">BB{count}H", 3, 2 * count, *words)
        if function == 16:
            self.write(address, list(struct.unpack(f">{count}H", request[6:])))
            return request[:5]
        if function == 6:
            self.write(address, [count])
            return request[:5]
        return bytes([function | 0x80, 1])


async def serve(charger: Charger) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(7)
                transaction, _, length, unit = struct.unpack(">HHHB", head)
                body = charger.answer(await reader.readexactly(length - 1))
                if not charger.deaf:
                    writer.write(struct.pack(">HHHB", transaction, 0, len(body) + 1, unit) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while True:
        charger.settle()
        await asyncio.sleep(0.002)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(serve(Charger(weld="weld" in sys.argv, deaf="deaf" in sys.argv)))
