"""Fairness: whose request is answered next when more come than can be answered at once."""
