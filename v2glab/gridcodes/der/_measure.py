"""From three phase voltages to what functions and thresholds look at (per unit)."""

from __future__ import annotations

import math

from v2glab.gridcodes.der._jit import Array, jit, jit_apart
from v2glab.gridcodes.der._places import G, U
from v2glab.gridcodes.der._places_settings import P

_THIRD = 1.0 / 3.0
_SIN_120 = math.sqrt(0.75)
_LINE = 1.0 / math.sqrt(3.0)


@jit
def _sequences(
    u: Array, a_re: float, a_im: float, b_re: float, b_im: float, c_re: float, c_im: float
) -> None:
    """Set positive and negative sequence from phasors."""
    bp_re, bp_im = -0.5 * b_re - _SIN_120 * b_im, -0.5 * b_im + _SIN_120 * b_re
    bn_re, bn_im = -0.5 * b_re + _SIN_120 * b_im, -0.5 * b_im - _SIN_120 * b_re
    cp_re, cp_im = -0.5 * c_re + _SIN_120 * c_im, -0.5 * c_im - _SIN_120 * c_re
    cn_re, cn_im = -0.5 * c_re - _SIN_120 * c_im, -0.5 * c_im + _SIN_120 * c_re
    p_re, p_im = (a_re + bp_re + cp_re) * _THIRD, (a_im + bp_im + cp_im) * _THIRD
    u[U.V1_RE] = p_re
    u[U.V1_IM] = p_im
    u[U.V1] = math.hypot(p_re, p_im)
    u[U.V2_RE] = (a_re + bn_re + cn_re) * _THIRD
    u[U.V2_IM] = (a_im + bn_im + cn_im) * _THIRD


@jit
def _lines(u: Array, a_re: float, a_im: float, b_re: float, b_im: float, c_re: float, c_im: float) -> None:
    """Let voltages between lines count too."""
    ab = _LINE * math.hypot(a_re - b_re, a_im - b_im)
    bc = _LINE * math.hypot(b_re - c_re, b_im - c_im)
    ca = _LINE * math.hypot(c_re - a_re, c_im - a_im)
    u[U.LOW] = min(u[U.LOW], ab, bc, ca)
    u[U.HIGH] = max(u[U.HIGH], ab, bc, ca)


@jit_apart
def _unequal(u: Array, g: Array, p: Array) -> None:
    a, b, c = u[U.VA], u[U.VB], u[U.VC]
    u[U.LOW] = min(a, b, c)
    u[U.HIGH] = max(a, b, c)
    u[U.MEAN] = (a + b + c) * _THIRD
    a_re, a_im = a * g[G.COS_A], a * g[G.SIN_A]
    b_re, b_im = b * g[G.COS_B], b * g[G.SIN_B]
    c_re, c_im = c * g[G.COS_C], c * g[G.SIN_C]
    _sequences(u, a_re, a_im, b_re, b_im, c_re, c_im)
    if p[P.WITH_LINE] > 0.5:
        _lines(u, a_re, a_im, b_re, b_im, c_re, c_im)
    if p[P.POSITIVE] > 0.5:
        u[U.MEAN] = u[U.V1]


@jit
def measure(u: Array, g: Array, p: Array) -> None:
    """Derive least, greatest and mean voltage and the sequences.

    The negative sequence is relative to the angle of the positive one, which balanced angles make zero.
    """
    v = u[U.VA]
    if p[P.SINGLE] > 0.5 or (g[G.BALANCED] > 0.5 and v == u[U.VB] and v == u[U.VC]):
        u[U.LOW] = v
        u[U.HIGH] = v
        u[U.MEAN] = v
        u[U.V1] = v
        u[U.V2_RE] = 0.0
        u[U.V2_IM] = 0.0
        return
    _unequal(u, g, p)
    if u[U.V1] > 0.0 and u[U.V1_IM] != 0.0:
        # turn the negative sequence: the current control knows only angles to the positive sequence
        c, s = u[U.V1_RE] / u[U.V1], u[U.V1_IM] / u[U.V1]
        re, im = u[U.V2_RE], u[U.V2_IM]
        u[U.V2_RE] = re * c + im * s
        u[U.V2_IM] = im * c - re * s
