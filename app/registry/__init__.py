"""The API's verbs over any kind."""
