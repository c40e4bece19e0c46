"""What is heard of an answer without anybody saying it: further on in its trace, and in what is said next."""
