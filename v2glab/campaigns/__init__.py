"""Run procedures and campaigns, and leave records that can be checked and repeated."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.campaigns._campaign_file import CampaignFile, load_campaign
    from v2glab.campaigns._folder import RunBuilder, RunFolder, RunSummary, list_runs, read_run, runs_root
    from v2glab.campaigns._runner import CampaignOptions, CampaignOutcome, run_campaign
    from v2glab.campaigns._session import Run, RunSettings, open_run
    from v2glab.campaigns._single import run_single

_HOMES = {
    "_campaign_file": ("CampaignFile", "load_campaign"),
    "_folder": ("RunBuilder", "RunFolder", "RunSummary", "list_runs", "read_run", "runs_root"),
    "_runner": ("CampaignOptions", "CampaignOutcome", "run_campaign"),
    "_session": ("Run", "RunSettings", "open_run"),
    "_single": ("run_single",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CampaignFile",
    "CampaignOptions",
    "CampaignOutcome",
    "Run",
    "RunBuilder",
    "RunFolder",
    "RunSettings",
    "RunSummary",
    "list_runs",
    "load_campaign",
    "open_run",
    "read_run",
    "run_campaign",
    "run_single",
    "runs_root",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- the module protocol asks for it
    """Load a public name on first use."""
    if name in _MODULE_OF:
        return getattr(import_module(f"v2glab.campaigns.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'v2glab.campaigns' has no attribute {name!r}")
