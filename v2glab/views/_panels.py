"""A form for the parameters of a procedure, made from their typed model."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from v2glab.evidence import InputError, V2GError
from v2glab.procedures import Parameters, Procedure, load_procedure, validate_parameters


def parameter_panel(procedure: str | Procedure, on_run: Callable[[Parameters], object]) -> Any:  # noqa: ANN401
    """Return a panel with one control a parameter and a Run button.

    Parameters
    ----------
    procedure
        A procedure or its name.
    on_run
        Called with the validated parameters. What it prints appears below the button; an error of the house
        appears there with its remedy, and nothing is run.

    Returns
    -------
    ipywidgets.VBox
        Its attribute ``controls`` holds the widgets by name, ``run_button`` and ``output`` the others.
    """
    import ipywidgets as widgets

    chosen = load_procedure(procedure) if isinstance(procedure, str) else procedure
    controls = {name: _control(name, field) for name, field in chosen.parameters.model_fields.items()}
    button = widgets.Button(description="Run", button_style="primary", icon="play")
    output = widgets.Output()

    def run(_: object) -> None:
        output.clear_output()
        button.disabled = True
        try:
            with output:
                _run(chosen, controls, on_run)
        finally:
            button.disabled = False

    button.on_click(run)
    panel = widgets.VBox(
        [widgets.HTML(f"<b>{_escape(chosen.title)}</b>"), *controls.values(), button, output]
    )
    panel.controls, panel.run_button, panel.output = controls, button, output
    return panel


def _run(procedure: Procedure, controls: Mapping[str, Any], on_run: Callable[[Parameters], object]) -> None:
    try:
        values = {name: _value(name, control) for name, control in controls.items()}
        on_run(validate_parameters(procedure, values))
    except V2GError as error:
        print(f"{error.found}\nrequired: {error.required}\nremedy: {error.remedy}")


def _control(name: str, field: Any) -> Any:  # noqa: ANN401 -- a pydantic field, a widget
    import ipywidgets as widgets

    kind = _kind(field.annotation)
    value = None if field.is_required() else field.get_default(call_default_factory=True)
    look = {"description": name, "style": {"description_width": "12em"}, "tooltip": field.description or name}
    if get_origin(kind) is Literal:
        return widgets.Dropdown(options=list(get_args(kind)), value=value, **look)
    if kind is bool:
        return widgets.Checkbox(value=bool(value), indent=False, description=name, tooltip=look["tooltip"])
    if kind is int and value is not None:
        return widgets.IntText(value=value, **look)
    if kind is float and value is not None:
        return widgets.FloatText(value=value, **look)
    if kind is str:
        return widgets.Text(value=value or "", **look)
    return _json_control(value, look)


def _json_control(value: object, look: dict[str, Any]) -> Any:  # noqa: ANN401 -- a widget
    """Return a text field for what has no control of its own; it is read as JSON."""
    import ipywidgets as widgets

    control = widgets.Text(value="" if value is None else json.dumps(value, default=list), **look)
    control.placeholder = "JSON"
    return control


def _value(name: str, control: Any) -> Any:  # noqa: ANN401 -- what the control holds
    if getattr(control, "placeholder", "") != "JSON":
        return control.value
    if not control.value.strip():
        return None
    try:
        return json.loads(control.value)
    except ValueError as error:
        raise InputError(f"{name}: {error}", "JSON, such as [1, 2]", "mend that field") from error


def _kind(annotation: Any) -> Any:  # noqa: ANN401 -- a type expression
    """Return the type inside ``X | None``; anything else as it is."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [part for part in get_args(annotation) if part is not type(None)]
        return inner[0] if len(inner) == 1 else annotation
    return annotation


def _escape(text: str) -> str:
    from html import escape

    return escape(text)
