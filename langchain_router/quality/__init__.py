"""What success to expect of each candidate, given what is asked."""
