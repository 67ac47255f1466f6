"""The themes that come with distrodeck."""

from __future__ import annotations

from textual.theme import Theme

DEFAULT = "deck-dark"

DECK_DARK = Theme(
    name="deck-dark",
    primary="#61afef",
    secondary="#56b6c2",
    accent="#e5a65c",
    warning="#e5c07b",
    error="#ef6b73",
    success="#8fce7e",
    foreground="#d3dae6",
    background="#0f141b",
    surface="#0f141b",
    panel="#1b232e",
    dark=True,
    variables={
        "border": "#61afef",
        "border-blurred": "#324054",
        "block-cursor-background": "#61afef",
        "block-cursor-foreground": "#0f141b",
        "input-cursor-background": "#61afef",
        "scrollbar": "#324054",
        "scrollbar-background": "#0f141b",
    },
)

DECK_LIGHT = Theme(
    name="deck-light",
    primary="#1f66b8",
    secondary="#0d7a86",
    accent="#b35c00",
    warning="#8f6400",
    error="#b8232f",
    success="#2f7d24",
    foreground="#1f2733",
    background="#f8f9fb",
    surface="#f8f9fb",
    panel="#e6eaf0",
    dark=False,
    variables={
        "border": "#1f66b8",
        "border-blurred": "#b9c3d0",
        "block-cursor-background": "#1f66b8",
        "block-cursor-foreground": "#ffffff",
        "scrollbar": "#b9c3d0",
        "scrollbar-background": "#f8f9fb",
    },
)

THEMES = (DECK_DARK, DECK_LIGHT)
