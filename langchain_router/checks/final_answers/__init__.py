"""What answers come to, and whether two of them come to the same."""
