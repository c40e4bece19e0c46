"""What the text of an answer gives away, one rule a file."""
