"""Who sends a request, and whether they may: the one place that every request passes before anything is done for it."""
