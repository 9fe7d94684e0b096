"""Tariffs: what a kWh and a kW cost, and the exact bill of a meter."""
