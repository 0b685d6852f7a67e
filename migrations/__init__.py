"""The schema's history, run by `fairlead migrate`."""
