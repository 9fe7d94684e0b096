"""Run procedures and campaigns, and leave records that can be checked and repeated."""

from typing import TYPE_CHECKING

from v2glab.lazy import lazy_attributes

if TYPE_CHECKING:
    from v2glab.campaigns._campaign_file import CampaignFile, load_campaign
    from v2glab.campaigns._folder import RunBuilder, RunFolder, RunSummary, list_runs, read_run, runs_root
    from v2glab.campaigns._runner import CampaignOptions, CampaignOutcome, run_campaign
    from v2glab.campaigns._session import Run, RunSettings, open_run
    from v2glab.campaigns._single import run_single

__getattr__ = lazy_attributes(
    __name__,
    {
        "_campaign_file": ("CampaignFile", "load_campaign"),
        "_folder": ("RunBuilder", "RunFolder", "RunSummary", "list_runs", "read_run", "runs_root"),
        "_runner": ("CampaignOptions", "CampaignOutcome", "run_campaign"),
        "_session": ("Run", "RunSettings", "open_run"),
        "_single": ("run_single",),
    },
)

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
