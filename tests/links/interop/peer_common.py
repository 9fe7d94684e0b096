"""What both ends of the reference stack share here: events, TLS switched while it runs, short waits."""

import asyncio
import json
import ssl
import types

from iso15118.evcc.transport import tcp_client
from iso15118.secc.transport import tcp_server
from iso15118.shared import comm_session, security
from iso15118.shared.settings import SettingKey, shared_settings

_made = security.get_ssl_context


def _context(server_side):
    context = _made(server_side)
    if context is not None and shared_settings[SettingKey.ENABLE_TLS_1_3]:
        # It keeps to secp256r1 whatever the edition; part 20 wants secp521r1.
        context.set_ecdh_curve("secp521r1")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


tcp_server.get_ssl_context = tcp_client.get_ssl_context = _context


# It keeps a connection open for five seconds after each session: no use here.
comm_session.asyncio = types.SimpleNamespace(**vars(asyncio))
comm_session.asyncio.sleep = lambda duration_s: asyncio.sleep(min(duration_s, 0.05))


def tell(**event):
    """Say something to the test."""
    print(json.dumps(event), flush=True)


def use_tls(words):
    """Take ``plain``, or ``tls12`` or ``tls13`` and the folder of the certificates."""
    if words[0] != "plain":
        shared_settings[SettingKey.ENABLE_TLS_1_3] = words[0] == "tls13"
        shared_settings[SettingKey.PKI_PATH] = words[1]
