"""Type tests: stimuli, tolerances, evaluation and verdicts (IEEE 1547.1-2020), for any bench."""

from v2glab.gridcodes.conformity._bench import ABILITIES, Bench
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._data import ProcedureData, load_procedure_data, parse_procedure_data
from v2glab.gridcodes.conformity._evidence import ImportedEvidence, apply_evidence, read_evidence
from v2glab.gridcodes.conformity._junit import junit_xml
from v2glab.gridcodes.conformity._model_bench import ModelBench, add_noise, sample_times, simulated
from v2glab.gridcodes.conformity._model_design import DeviceDesign
from v2glab.gridcodes.conformity._model_waveform import add_waveform_noise
from v2glab.gridcodes.conformity._place import TIME, Place, place_of
from v2glab.gridcodes.conformity._record import Record, Uncertainties, checked
from v2glab.gridcodes.conformity._stimulus import Capture, Island, Stimulus, Stretch
from v2glab.gridcodes.conformity._suite import (
    FAMILIES,
    CaseResult,
    list_cases,
    run_case,
    run_suite,
    undecided,
)
from v2glab.gridcodes.conformity._tolerance import Band, interpolate, response_target, tolerance_band

__all__ = [
    "ABILITIES",
    "FAMILIES",
    "TIME",
    "Band",
    "Bench",
    "Capture",
    "Case",
    "CaseResult",
    "DeviceDesign",
    "ImportedEvidence",
    "Island",
    "ModelBench",
    "Place",
    "ProcedureData",
    "Record",
    "Rules",
    "Stimulus",
    "Stretch",
    "Uncertainties",
    "add_noise",
    "add_waveform_noise",
    "apply_evidence",
    "checked",
    "interpolate",
    "junit_xml",
    "list_cases",
    "load_procedure_data",
    "parse_procedure_data",
    "place_of",
    "read_evidence",
    "response_target",
    "run_case",
    "run_suite",
    "sample_times",
    "simulated",
    "tolerance_band",
    "undecided",
]
