"""Measures whole policies on recorded answers: what each saves, and what it loses."""
