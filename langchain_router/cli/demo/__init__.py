"""The demo: traffic of three sorts, one run, one report."""
