"""What happened: attempts, outcomes and what they cost."""
