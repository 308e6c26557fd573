"""Tests of the dispatcher: rules as sentences, and simulations with an auditor."""
