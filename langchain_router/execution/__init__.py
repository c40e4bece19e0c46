"""Runs a plan: calls its steps in order until one answers."""
