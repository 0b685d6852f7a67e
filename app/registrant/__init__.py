"""A client that registers a program of this machine as a Pod, and keeps that true: `fairlead register`."""
