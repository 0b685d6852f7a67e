"""Load balancers that somebody else runs: each is told the traffic of all Services."""
