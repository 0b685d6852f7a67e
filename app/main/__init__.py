"""The composition root: from settings to a running API process or reconciler."""
