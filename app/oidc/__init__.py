"""Users that providers of OpenID Connect know: which providers, their keys, and who a token's claims say it is."""
