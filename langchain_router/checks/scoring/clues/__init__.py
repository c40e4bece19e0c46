"""What a careful reader would look at in an answer, one clue a file: numbers of about -1..1 each."""
