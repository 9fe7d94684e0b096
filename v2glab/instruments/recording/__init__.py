"""Recordings: COMTRADE 1991, 1999 and 2013, and CSV with a sidecar.

Parsers take bytes; only :func:`read_recording` opens files. Nothing is repaired without being named in
``repairs``.
"""

from v2glab.instruments.recording._comtrade import ComtradeConfig, parse_config, split_cff
from v2glab.instruments.recording._comtrade_data import ComtradeData, parse_data
from v2glab.instruments.recording._csv import parse_csv
from v2glab.instruments.recording._model import Channel, Recording
from v2glab.instruments.recording._read import (
    read_recording,
    recording_from_comtrade,
    recording_from_csv,
)
from v2glab.instruments.recording._sidecar import Sidecar, example_sidecar, parse_sidecar

__all__ = [
    "Channel",
    "ComtradeConfig",
    "ComtradeData",
    "Recording",
    "Sidecar",
    "example_sidecar",
    "parse_config",
    "parse_csv",
    "parse_data",
    "parse_sidecar",
    "read_recording",
    "recording_from_comtrade",
    "recording_from_csv",
    "split_cff",
]
