"""Issues contract certificates to vehicles that ask for one."""

from __future__ import annotations


class ContractIssuer:
    """Backend of a mobility operator behind the charger."""
