"""Certificates of the vehicle link: V2G, CPO, OEM, MO and vehicle chains, made, broken, stored and verified.

Who issues whom, for how long and on which curve is data (``datasets/iso15118/pki.toml``).
"""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.links.pki._defects import BrokenChain, break_chain, defect_names
    from v2glab.links.pki._issue import Identity, V2GPki, make_pki
    from v2glab.links.pki._rules import Defect, Edition, PkiRules, Profile, Reason, load_pki_rules
    from v2glab.links.pki._store import PkiFiles, load_revocations, write_pki
    from v2glab.links.pki._verify import ChainFinding, check_profile, load_certificates, verify_chain

__all__ = [
    "BrokenChain",
    "ChainFinding",
    "Defect",
    "Edition",
    "Identity",
    "PkiFiles",
    "PkiRules",
    "Profile",
    "Reason",
    "V2GPki",
    "break_chain",
    "check_profile",
    "defect_names",
    "load_certificates",
    "load_pki_rules",
    "load_revocations",
    "make_pki",
    "verify_chain",
    "write_pki",
]

__getattr__ = lazy_attributes(
    __name__,
    {
        "_defects": ["BrokenChain", "break_chain", "defect_names"],
        "_issue": ["Identity", "V2GPki", "make_pki"],
        "_rules": ["Defect", "Edition", "PkiRules", "Profile", "Reason", "load_pki_rules"],
        "_store": ["PkiFiles", "load_revocations", "write_pki"],
        "_verify": ["ChainFinding", "check_profile", "load_certificates", "verify_chain"],
    },
)
