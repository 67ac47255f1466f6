"""The whole product, driven from outside as a person drives it."""
