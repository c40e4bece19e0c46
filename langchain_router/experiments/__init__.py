"""What is tried on live traffic, and the statistics that may be looked at any time."""
