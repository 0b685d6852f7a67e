"""Who may do what: requests, the rights that allow them, and the comparison of rights."""
