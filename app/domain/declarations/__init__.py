"""What is declared of each kind: its columns, strategy, derivation; and the catalogue of all."""
