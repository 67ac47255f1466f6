"""Images from outside: references, manifests, registries, pulls and imports."""
