"""The web page: a client of the API with the rights of the user who is logged in, and nothing more."""
