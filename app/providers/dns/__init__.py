"""Other DNS servers: secondaries, which fetch zones from here, and primaries, which get updates."""
