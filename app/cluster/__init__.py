"""What the rules may know of the surroundings, followed from the mirror."""
