"""From measurements and logs to fault code, cause and remedy: log parsers, observations, rules.

Parsers turn log lines and readings into frozen objects; each rule is one small file that states its condition
over the observations; texts, codes and limits are data.
"""

from v2glab.diagnosis._conclusion import Conclusion, Examination, Finding, Symptom, conclude
from v2glab.diagnosis._diagnose import DIAGNOSIS_SCHEMA, Diagnosis, diagnose, diagnosis_document
from v2glab.diagnosis._events import (
    DeratingLogged,
    Event,
    ExportRefused,
    FaultLogged,
    LinkDown,
    LinkUp,
    LogReport,
    TlsFailed,
    parse_event,
    read_log,
)
from v2glab.diagnosis._knowledge import Coding, Entry, Knowledge, load_knowledge
from v2glab.diagnosis._log import LogLine, parse_line, parse_lines
from v2glab.diagnosis._observations import CertificateSeen, Observations
from v2glab.diagnosis.rules.pp_error import pp_deviation

__all__ = [
    "DIAGNOSIS_SCHEMA",
    "CertificateSeen",
    "Coding",
    "Conclusion",
    "DeratingLogged",
    "Diagnosis",
    "Entry",
    "Event",
    "Examination",
    "ExportRefused",
    "FaultLogged",
    "Finding",
    "Knowledge",
    "LinkDown",
    "LinkUp",
    "LogLine",
    "LogReport",
    "Observations",
    "Symptom",
    "TlsFailed",
    "conclude",
    "diagnose",
    "diagnosis_document",
    "load_knowledge",
    "parse_event",
    "parse_line",
    "parse_lines",
    "pp_deviation",
    "read_log",
]
