"""What is there from the start: initial objects, and the presence of processes."""
