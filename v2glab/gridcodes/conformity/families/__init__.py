"""Families of type tests; each makes its cases from the rules of a code and category."""
