"""The Engine protocol's areas: each module has its values, its specs and its verbs."""
