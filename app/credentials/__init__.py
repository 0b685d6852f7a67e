"""What identities are proven and secrets are kept with: tokens, keys and certificates."""
