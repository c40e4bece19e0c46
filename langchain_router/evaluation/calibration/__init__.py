"""Thresholds with a certificate: how far routing may go so that quality holds, tested before it is said."""
