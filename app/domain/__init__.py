"""The pure floor: models, rules, plans. No I/O, no clock, no chance, no settings."""
