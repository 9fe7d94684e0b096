"""``v2glab vehicle``: sessions of the vehicle link, live or from a capture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="The link between vehicle and charger: SLAC, TLS, ISO 15118, DIN 70121, each millisecond explained.",
)

Html = Annotated[Path | None, typer.Option("--html", help="Write figures and tables into this HTML file.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 when something is found.")]


@app.callback()
def _group() -> None:
    """Keep the commands a group, however many there are."""


@app.command("trace")
def trace_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Capture, pcap or pcapng.")],
    *,
    key_log: Annotated[
        Path | None, typer.Option("--key-log", help="TLS secrets in NSS format (SSLKEYLOGFILE).")
    ] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", help="Write all of it as JSON; '-' prints it.")
    ] = None,
    as_csv: Annotated[
        Path | None, typer.Option("--csv", help="Write one line a message; '-' prints it.")
    ] = None,
    html: Html = None,
    only: Annotated[
        list[int] | None, typer.Option("--session", help="Print this session in full; may be repeated.")
    ] = None,
    strict: Strict = False,
) -> int:
    """Read a capture of the vehicle link: each message with its time, limit and margin, and what went wrong.

    No other program is needed. SLAC, discovery, TCP, TLS and all messages are read; with a key log, or with
    the keys that a pcapng carries, encrypted sessions too. 'v2glab vehicle listen --key-log' writes one. What
    is found is printed with its remedy; the exit code is 0 with it, unless --strict.

    Examples:

      v2glab vehicle trace session.pcapng --key-log keys.log

      v2glab vehicle trace session.pcap --html session.html --csv messages.csv
    """
    from v2glab.cli._vehicle_trace import Outputs, show_trace

    outputs = Outputs(as_json, as_csv, html)
    return show_trace(file, key_log, outputs, only=tuple(only or ()), strict=strict)


@app.command("slac")
def slac_command(
    *,
    channel: Annotated[
        str, typer.Option(help="Line to the charger, one of [channel] in slac.toml.")
    ] = "vehicle_at_home",
    extra_db: Annotated[float, typer.Option("--extra-db", help="Attenuation on top: a poor contact.")] = 0.0,
    motor: Annotated[float, typer.Option(help="Load of a motor inverter nearby, 0 to 1.")] = 0.0,
    cross_talk: Annotated[
        str, typer.Option("--cross-talk", help="Line to a second charger, plugged in elsewhere.")
    ] = "",
    validate: Annotated[
        bool, typer.Option("--validate", help="Always validate by the control pilot.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out the pauses between sounds.")] = False,
    veth: Annotated[
        bool, typer.Option("--veth", help="Raw Ethernet between two network namespaces; needs root.")
    ] = False,
    interface: Annotated[
        str, typer.Option(help="Be one end behind a real modem on this interface; needs root.")
    ] = "",
    end: Annotated[str, typer.Option(help="Which end, with --interface: vehicle or charger.")] = "vehicle",
    seed: Annotated[int, typer.Option(help="Seed of losses and spread.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
    html: Html = None,
    strict: Strict = False,
) -> int:
    """Let a vehicle and a charger find each other by SLAC, and show every frame and timer.

    Both are of this machine, and frames pass a relay on loopback, or with --veth raw Ethernet; the power line
    between the modems is a model. With --interface one end is behind a real modem, and the other end is
    whatever hangs on its line; no power flows by that. A run without a match ends with exit code 3, its
    cause and the remedy.

    Examples:

      v2glab vehicle slac --html slac.html

      v2glab vehicle slac --channel two_chargers_near --cross-talk two_chargers_far --motor 0.5

      sudo v2glab vehicle slac --veth --json

      sudo v2glab vehicle slac --interface eth1 --end charger
    """
    from v2glab.cli._vehicle_slac import run_slac
    from v2glab.cli._vehicle_slac_run import Setup

    setup = Setup(channel, extra_db, motor, cross_talk, validate, fast, veth, seed, interface, end)
    return run_slac(setup, as_json=as_json, html=html, strict=strict)


@app.command("faults")
def faults_command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[FAULT]...", help="Faults to inject; all without one.")
    ] = None,
    *,
    listed: Annotated[bool, typer.Option("--list", help="Only list the faults.")] = False,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the table as JSON.")] = None,
) -> int:
    """Inject faults into sessions between two models on loopback and compare what each end says of them.

    A fault is a message that is lost, late, damaged, out of place or refused, a certificate that is not
    trusted, or physics that fails. Each must give its own cause, response code and field code; a healthy
    session gives none. The exit code is 1 when one is diagnosed as something else.

    Examples:

      v2glab vehicle faults --list

      v2glab vehicle faults contactor-welded insulation-fault

      v2glab vehicle faults --json faults.json
    """
    from v2glab.cli._vehicle_faults import run_faults

    return run_faults(names or [], listed=listed, as_json=as_json)


@app.command("connect")
def connect_command(
    *,
    station: Annotated[str, typer.Option(help="'twin' or a station file with a section [vehicle].")] = "twin",
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="A charger in no station file: where discovery asks.")
    ] = "",
    interface: Annotated[str, typer.Option(help="The same, by multicast on this interface.")] = "",
    discovery: Annotated[
        bool, typer.Option(help="With --no-discovery, --address is the charger's own TCP port.")
    ] = True,
    protocol: Annotated[str, typer.Option(help="iso20, iso2 or din.")] = "iso20",
    service: Annotated[str, typer.Option(help="dc_bpt, dc, ac_bpt or ac.")] = "dc_bpt",
    control: Annotated[
        str, typer.Option(help="scheduled: the vehicle decides; dynamic: the charger.")
    ] = "scheduled",
    authorisation: Annotated[str, typer.Option(help="eim, or pnc by the contract in the folder.")] = "eim",
    power_w: Annotated[
        float | None,
        typer.Option("--power", help="Watts at the connector, export positive; a model takes 5000."),
    ] = None,
    duration_s: Annotated[float, typer.Option("--duration", help="Seconds in which power flows.")] = 60.0,
    pki: Annotated[
        Path | None,
        typer.Option(
            help="Folder of certificates of the protocol, for --address or --interface; without: in clear."
        ),
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Write one row a message: .csv, .json or .parquet.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
    approve_energise: Annotated[
        bool, typer.Option("--approve-energise", help="Let a live charger be energised.")
    ] = False,
    clock: Annotated[str, typer.Option(help="Clock of the twin: lockstep or realtime.")] = "lockstep",
    seed: Annotated[int, typer.Option(help="Seed of whatever is random.")] = 7,
    fault: Annotated[
        list[str], typer.Option("--fault", help="Fault switch of the twin; may be repeated.")
    ] = [],  # noqa: B006
    strict: Strict = False,
) -> int:
    """Be the vehicle: find the charger, connect, agree, let power flow, end; each phase with its time.

    At a station this is the procedure open_vehicle_session, with a run folder and verdicts. With --address or
    --interface the battery is a model, and nothing but the link is judged; a charger that is not on this
    machine needs --approve-energise. A session that fails exits with 3, its cause and the remedy.

    Examples:

      v2glab vehicle connect --power 11000 --duration 30

      v2glab vehicle connect --station my-site.toml --approve-energise --trace session.csv

      v2glab vehicle connect --protocol iso2 --service ac --authorisation pnc --power -11000

      v2glab vehicle connect --address [::1]:15118 --pki pki --service ac_bpt --json
    """
    from v2glab.cli._vehicle_connect import Asked, Target, connect

    asked = Asked(protocol, service, control, authorisation, power_w, duration_s, pki)
    values = {
        "station": station,
        "seed": seed,
        "faults": tuple(fault),
        "approve_energise": approve_energise,
        "clock": clock,
    }
    target = Target(address, interface, discovery)
    return connect(asked, target, values, as_json=as_json, trace=trace, strict=strict)


@app.command("listen")
def listen_command(
    *,
    host: Annotated[str, typer.Option(help="Numeric IPv6 address to listen on.")] = "::1",
    port: Annotated[
        int, typer.Option(help="TCP port, and UDP port of discovery; 0 takes free ones.")
    ] = 15118,
    interface: Annotated[str, typer.Option(help="Listen on this interface's link, with multicast.")] = "",
    pki: Annotated[
        Path | None, typer.Option(help="Folder of certificates for ISO 15118-20; without any: in clear.")
    ] = None,
    pki_iso2: Annotated[
        Path | None, typer.Option("--pki-iso2", help="Folder of certificates for ISO 15118-2.")
    ] = None,
    make_pki: Annotated[
        bool, typer.Option("--make-pki", help="Make test certificates for both ends in folders that are new.")
    ] = False,
    sessions: Annotated[int, typer.Option(help="Stop after so many sessions; 0 goes on.")] = 0,
    key_log: Annotated[
        Path | None, typer.Option("--key-log", help="Write the secrets of TLS, to read a capture with.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> int:
    """Be the charger: answer discovery, serve sessions over a model of a charger, print each as it ends.

    SIGINT or SIGTERM ends it; sessions under way end, and the contactor of the model opens. With certificates
    ISO 15118-20 is served in TLS 1.3, ISO 15118-2 in TLS 1.2, both on one port: the vehicle's first message
    chooses. Without any all is in clear, DIN 70121 too.

    Examples:

      v2glab vehicle listen --pki pki --make-pki

      v2glab vehicle listen --pki pki --pki-iso2 pki-iso2 --make-pki

      v2glab vehicle listen --interface eth1 --pki pki --json
    """
    from v2glab.cli._vehicle_listen import Listening, listen

    return listen(
        Listening(host, port, interface, pki, pki_iso2, make_pki, sessions, key_log), as_json=as_json
    )
